"""Tracks the version of the public data without a query per request.

Rationale: .github/decisions/0024-response-cache.md.
"""
import math
import select
import time
from array import array
from contextlib import suppress
from datetime import UTC, datetime
from secrets import randbits
from typing import Any

import psycopg2
from sqlalchemy import BindParameter, Connection, Engine, Select, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.change_notifications import CHANNEL

# Seconds between two checks that the connection still delivers notifications.
HEARTBEAT = 0.5
# Seconds between two checks at least, so that frequent writes do not cause more of them.
MIN_INTERVAL = 0.05
# Seconds for which a check is valid. It bounds the age of cached responses when notifications are delayed,
# for example by a frozen server or lost packets.
LEASE = 2.0

# A parameter of the query that `ChangeListener` takes.
NOW: BindParameter[datetime] = bindparam('now')


class ChangeListener:
    """Listens for changes; see `shared.presentation.caching.response_cache.PublicData`.

    A version consists of two numbers: how many notifications this process has received, and the mark that the
    last writer left in memory shared by all worker processes. Notifications are asynchronous; through the
    mark, a client sees its own write at once, whichever process responds.
    """

    def __init__(self, engine: Engine, next_due: Select[Any]) -> None:
        """`next_due` selects the next time after NOW at which the public data changes without a write."""
        self._engine = engine
        self._next_due = next_due
        self._connection: Connection | None = None
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
            if self._connection is None:
                self._connection = self._listen()
            else:
                self._wait(self._connection)
                self._receive(self._connection)
            if time.monotonic() >= self._next_check:
                self._check(self._connection)
        except (DBAPIError, PoolTimeout, psycopg2.Error) as error:
            self.close()
            raise Unavailable('The database is not available') from error
        return True

    def close(self) -> None:
        self._valid_until = self._next_check = -math.inf
        if self._connection is not None:
            with suppress(DBAPIError, psycopg2.Error):
                self._connection.close()
            self._connection = None

    def _listen(self) -> Connection:
        connection = self._engine.connect()
        # Leave the pool to the requests.
        connection.detach()
        # SQLAlchemy's isolation_level would be reset on the connection that replaces this one in the pool,
        # which would then cost a round trip on each use.
        driver: Any = connection.connection.dbapi_connection
        driver.autocommit = True
        connection.execute(text(f'LISTEN {CHANNEL}'))
        # Changes before LISTEN went unnoticed.
        self._notified += 1
        return connection

    def _wait(self, connection: Connection) -> None:
        # The driver's types lack fileno().
        driver: Any = connection.connection.dbapi_connection
        select.select([driver], [], [], max(0, self._next_check - time.monotonic()))

    def _receive(self, connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.poll()
        if driver.notifies:
            self._notified += 1
            driver.notifies.clear()
            # The change may bring forward the next due time.
            self._next_check = min(self._next_check, self._checked + MIN_INTERVAL)

    def _check(self, connection: Connection) -> None:
        self._checked = time.monotonic()
        self._next_check = self._checked + HEARTBEAT
        now = datetime.now(UTC)
        due: datetime | None = connection.scalar(self._next_due, {'now': now})
        # Earlier notifications arrive with the result.
        self._receive(connection)
        if self._due <= now.timestamp():
            self._notified += 1
        self._due = math.inf if due is None else due.timestamp()
        self._valid_until = self._checked + LEASE
