from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from talelio_backend.shared.business.errors import Conflict, Unavailable
from talelio_backend.shared.data.change_notifications import ChangeTrackingSession
from talelio_backend.shared.data.engine import is_transient


class SqlAlchemyUnitOfWork:
    """See `shared.business.unit_of_work`. A subclass in the composition root adds the repositories."""

    session: ChangeTrackingSession

    def __init__(self, engine: Engine, public_changed: Callable[[], None] = lambda: None) -> None:
        """`public_changed` is called after a commit that may have changed public data."""
        self._engine = engine
        self._public_changed = public_changed
        self._before_commit: Callable[[Any], None] | None = None

    def __enter__(self) -> Self:
        # The presentation reads entities after the commit.
        self.session = ChangeTrackingSession(self._engine, expire_on_commit=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Closing rolls back. If the connection is lost, the server does.
        with suppress(DBAPIError):
            self.session.close()
        if isinstance(error, StaleDataError):
            raise Conflict('What was to be changed has been deleted meanwhile') from error
        if is_transient(error):
            raise Unavailable('The database is not available, please try again') from error

    def before_commit(self, callback: Callable[[Any], None]) -> None:
        self._before_commit = callback

    def commit(self, result: object = None) -> None:
        if self._before_commit is not None and result is not None:
            # New entities get their ids.
            self.session.flush()
            self._before_commit(result)
        self.session.commit()
        if self.session.has_written_public_data:
            self._public_changed()
