from contextlib import suppress
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.engine import is_transient


class SqlAlchemyReadSession:
    """See `shared.business.unit_of_work.ReadSession`. The first query checks out a connection.

    Autocommit saves the round trips of BEGIN and COMMIT. A subclass in the composition root adds the
    repositories.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._checked_out: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection, self._checked_out = self._checked_out, None
        if connection is not None:
            # A lost connection cannot be reset.
            with suppress(DBAPIError):
                _set_autocommit(connection, False)
                connection.close()
        if is_transient(error):
            raise Unavailable('The database is not available, please try again') from error

    @property
    def _connection(self) -> Connection:
        if self._checked_out is None:
            self._checked_out = self._engine.connect()
            _set_autocommit(self._checked_out, True)
        return self._checked_out


def _set_autocommit(connection: Connection, value: bool) -> None:
    # Resetting SQLAlchemy's isolation_level would cost a round trip.
    if not connection.invalidated:
        driver_connection = connection.connection.driver_connection
        if driver_connection is not None and not driver_connection.closed:
            driver_connection.autocommit = value
