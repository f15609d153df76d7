from contextlib import suppress
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.engine import is_transient


class SqlAlchemyReadSession:
    """See `shared.business.unit_of_work.Reading`. The first question takes a connection.

    Each statement is a transaction of its own, which saves the round trips that would begin and end one. It
    knows no repository: the composition root adds them in a subclass.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._taken: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            # Where the connection is lost there is nothing to give back.
            with suppress(DBAPIError):
                _set_autocommit(taken, False)
                taken.close()
        if is_transient(error):
            raise Unavailable('The database is not available, please try again') from error

    @property
    def _connection(self) -> Connection:
        if self._taken is None:
            self._taken = self._engine.connect()
            _set_autocommit(self._taken, True)
        return self._taken


def _set_autocommit(connection: Connection, value: bool) -> None:
    # Not SQLAlchemy's isolation_level: to take that back costs a round trip.
    if not connection.invalidated:
        driver_connection = connection.connection.driver_connection
        if driver_connection is not None and not driver_connection.closed:
            driver_connection.autocommit = value
