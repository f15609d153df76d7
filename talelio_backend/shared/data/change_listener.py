"""Tracks the version of the public data without a query per request.

Rationale: .github/decisions/0024-response-cache.md.
"""
import logging
import math
import time
from array import array
from contextlib import suppress
from datetime import UTC, datetime
from secrets import randbits
from select import POLLIN, poll
from typing import Any, NoReturn

import psycopg2
from sqlalchemy import BindParameter, Connection, Engine, Select, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.change_notifications import CHANNEL

# Seconds between two checks that notifications arrive. Each is a small write, also while nobody reads.
HEARTBEAT = 1.0
# Seconds between two checks at least, so that frequent writes do not cause more of them.
MIN_INTERVAL = 0.05
# Seconds for which a check is valid. It bounds the age of cached responses when notifications are delayed,
# for example by a frozen server or lost packets.
LEASE = 2.0
# Seconds to wait for the notification of a check.
CHECK_TIMEOUT = LEASE

# A parameter of the query that `ChangeListener` takes.
NOW: BindParameter[datetime] = bindparam('now')

UNHEARD = 'responses are not cached, since notifications of the database do not arrive'
UNHEARD_REMEDY = 'Behind a connection pooler, set DIRECT_DATABASE_URL'

_logger = logging.getLogger(__name__)


class ChangeListener:
    """Listens for changes; see `shared.presentation.caching.response_cache.PublicData`.

    A version consists of two numbers: how many notifications this process has received, and the mark that the
    last writer left in memory shared by all worker processes. Notifications are asynchronous; through the
    mark, a client sees its own write at once, whichever process responds.
    """

    def __init__(self, engine: Engine, next_due: Select[Any], direct: Engine | None = None) -> None:
        """`next_due` selects the next time after NOW at which the public data changes without a write.

        `direct` bypasses a connection pooler, which would not pass notifications on.
        """
        self._engine = engine
        self._direct = direct or engine
        # Not on the listening connection: behind a pooler, a query could fetch what idle listeners miss.
        self._querying: Connection | None = None
        self._listening: Connection | None = None
        # Of this listener alone.
        self._channel = f'check_{randbits(64):x}'
        self._heard = ''
        self._has_warned = False
        # Nobody waits for the disk or a standby: a lost notification is a failed check.
        self._query = select(
            next_due.scalar_subquery(), func.set_config('synchronous_commit', 'off', True),
            func.pg_notify(self._channel, bindparam('check'))
        )
        self._notified = 0
        self._mark = memoryview(array('Q', [0]))
        # Monotonic times, except for `_due`.
        self._checked = -math.inf
        self._next_check = -math.inf
        self._valid_until = -math.inf
        self._due = -math.inf

    def share(self, mark: 'memoryview[int]') -> None:
        """Use an unsigned 64-bit integer that all worker processes share."""
        self._mark = mark

    def version(self) -> tuple[int, int] | None:
        """Return the same value as long as the public data is unchanged, or None if that is unknown."""
        if time.monotonic() < self._valid_until and time.time() < self._due:
            return self._notified, self._mark[0]
        return None

    def changed(self) -> None:
        """Change the version in all processes. Call it before responding to the writer."""
        # A counter would need a lock that survives a killed process.
        self._mark[0] = randbits(64)

    def step(self) -> bool:
        """Wait for notifications, HEARTBEAT at most. Call it in a loop. Raises Unavailable."""
        try:
            if self._listening is None:
                self._listen()
            else:
                self._receive(self._next_check - time.monotonic())
            if time.monotonic() >= self._next_check:
                self._check()
        except (DBAPIError, PoolTimeout, psycopg2.Error) as error:
            self.close()
            raise Unavailable('The database is not available') from error
        return True

    def close(self) -> None:
        self._valid_until = self._next_check = -math.inf
        for connection in (self._listening, self._querying):
            if connection is not None:
                with suppress(DBAPIError, psycopg2.Error):
                    connection.close()
        self._listening = self._querying = None

    def _listen(self) -> None:
        self._querying = _connect(self._engine)
        self._listening = _connect(self._direct)
        self._listening.execute(text(f'LISTEN {CHANNEL}; LISTEN {self._channel}'))
        # Changes before LISTEN went unnoticed.
        self._notified += 1

    def _receive(self, seconds: float) -> None:
        """Wait at most so long for notifications."""
        assert self._listening is not None
        # The driver's types lack fileno().
        driver: Any = self._listening.connection.dbapi_connection
        poller = poll()
        poller.register(driver, POLLIN)
        poller.poll(max(0, seconds) * 1000)
        driver.poll()
        for notification in driver.notifies:
            if notification.channel == self._channel:
                self._heard = notification.payload
            else:
                self._notified += 1
                # The change may bring forward the next due time.
                self._next_check = min(self._next_check, self._checked + MIN_INTERVAL)
        driver.notifies.clear()

    def _check(self) -> None:
        assert self._querying is not None
        self._checked = time.monotonic()
        self._next_check = self._checked + HEARTBEAT
        now = datetime.now(UTC)
        check = str(randbits(64))
        due: datetime | None = self._querying.scalar(self._query, {'now': now, 'check': check})
        # Notifications arrive in the order of commits, so those of all earlier ones are there, too.
        while self._heard != check:
            seconds = self._checked + CHECK_TIMEOUT - time.monotonic()
            if seconds <= 0:
                self._miss()
            self._receive(seconds)
        self._has_warned = False
        if self._due <= now.timestamp():
            self._notified += 1
        self._due = math.inf if due is None else due.timestamp()
        self._valid_until = self._checked + LEASE

    def _miss(self) -> NoReturn:
        self.close()
        if not self._has_warned:
            self._has_warned = True
            _logger.warning('%s. %s', UNHEARD, UNHEARD_REMEDY)
        raise Unavailable(UNHEARD)


def _connect(engine: Engine) -> Connection:
    connection = engine.connect()
    # Leave the pool to the requests.
    connection.detach()
    # SQLAlchemy's isolation_level would be reset on the connection that replaces this one in the pool,
    # which would then cost a round trip on each use.
    driver: Any = connection.connection.dbapi_connection
    driver.autocommit = True
    return connection
