"""Knows whether what everybody may read is still as it was, without a question for each request.

Why it is done this way: .github/decisions/0024-response-cache.md.
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

# Seconds between two questions whether the connection still carries what is told.
HEARTBEAT = 0.5
# Seconds that lie between two questions even where something is told: who writes a lot is not to pay for it.
MIN_INTERVAL = 0.05
# Seconds for which the answer to such a question holds. Whatever keeps back what is told, a frozen server or
# a network that swallows packets, nobody is shown anything older than this.
LEASE = 2.0

# In a query for `ChangeListener`.
NOW: BindParameter[datetime] = bindparam('now')


class ChangeListener:
    """Listens for changes; see `shared.presentation.caching.response_cache.PublicData`.

    A version is two numbers: how much this process has heard of, and what the last writer has left in a page
    of memory that processes share. For what is told takes its time to arrive, and who has just written
    something through one of these processes must see it, whichever of them is asked.
    """

    def __init__(self, engine: Engine, next_due: Select[Any]) -> None:
        """`next_due` asks when, after NOW, what is public changes next by its time alone."""
        self._engine = engine
        self._next_due = next_due
        self._connection: Connection | None = None
        self._heard = 0
        self._written = memoryview(array('Q', [0]))
        # Of the monotonic clock, all but the last one.
        self._asked = -math.inf
        self._next_question = -math.inf
        self._holds_until = -math.inf
        self._due = -math.inf

    def share(self, written: 'memoryview[int]') -> None:
        """Take an unsigned number of 64 bits that all processes of this server see."""
        self._written = written

    def version(self) -> tuple[int, int] | None:
        """Return the same as before while nothing public has changed, None when that is not known."""
        if time.monotonic() < self._holds_until and time.time() < self._due:
            return self._heard, self._written[0]
        return None

    def changed(self) -> None:
        """Make this another version for all processes that share it; before a writer hears of its success."""
        # Not one more, for two who count at once would need a lock that outlives whoever is killed with it.
        self._written[0] = randbits(64)

    def step(self) -> bool:
        """Wait for what is told, HEARTBEAT at most; to be repeated. Raises Unavailable."""
        try:
            if self._connection is None:
                self._connection = self._listen()
            else:
                self._wait(self._connection)
                self._hear(self._connection)
            if time.monotonic() >= self._next_question:
                self._ask(self._connection)
        except (DBAPIError, PoolTimeout, psycopg2.Error) as error:
            self.close()
            raise Unavailable('The database is not available') from error
        return True

    def close(self) -> None:
        self._holds_until = self._next_question = -math.inf
        if self._connection is not None:
            with suppress(DBAPIError, psycopg2.Error):
                self._connection.close()
            self._connection = None

    def _listen(self) -> Connection:
        connection = self._engine.connect()
        # Requests have the pool for themselves.
        connection.detach()
        # SQLAlchemy's option of that name would be taken back from whatever connection comes to its place in
        # the pool, which from then on would tell the server its level before each question.
        driver: Any = connection.connection.dbapi_connection
        driver.autocommit = True
        connection.execute(text(f'LISTEN {CHANNEL}'))
        # Whatever happened meanwhile.
        self._heard += 1
        return connection

    def _wait(self, connection: Connection) -> None:
        # It has a file's number, but the types do not say so.
        driver: Any = connection.connection.dbapi_connection
        select.select([driver], [], [], max(0, self._next_question - time.monotonic()))

    def _hear(self, connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.poll()
        if driver.notifies:
            self._heard += 1
            driver.notifies.clear()
            # It may be another one now that is due next.
            self._next_question = min(self._next_question, self._asked + MIN_INTERVAL)

    def _ask(self, connection: Connection) -> None:
        self._asked = time.monotonic()
        self._next_question = self._asked + HEARTBEAT
        now = datetime.now(UTC)
        due: datetime | None = connection.scalar(self._next_due, {'now': now})
        # What was told before the answer has come with it.
        self._hear(connection)
        if self._due <= now.timestamp():
            self._heard += 1
        self._due = math.inf if due is None else due.timestamp()
        self._holds_until = self._asked + LEASE
