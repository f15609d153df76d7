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
    """Opens a session on entering, rolls it back on leaving; see `shared.business.unit_of_work`.

    It knows no repository: the composition root adds them in a subclass.
    """

    _session: ChangeTrackingSession

    def __init__(self, engine: Engine, public_changed: Callable[[], None] = lambda: None) -> None:
        """`public_changed` is called after a commit that may have changed what everybody may read."""
        self._engine = engine
        self._public_changed = public_changed
        self._keep: Callable[[Any], None] | None = None

    def __enter__(self) -> Self:
        # What was read stays readable after the commit: services hand entities to the presentation.
        self._session = ChangeTrackingSession(self._engine, expire_on_commit=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Closing rolls back what was not committed. Where the connection is lost, the server does it.
        with suppress(DBAPIError):
            self._session.close()
        if isinstance(error, StaleDataError):
            raise Conflict('What was to be changed has been deleted meanwhile') from error
        if is_transient(error):
            raise Unavailable('The database is not available, please try again') from error

    def before_commit(self, keep: Callable[[Any], None]) -> None:
        self._keep = keep

    def commit(self, result: object = None) -> None:
        if self._keep is not None and result is not None:
            # Now what is new has its id.
            self._session.flush()
            self._keep(result)
        self._session.commit()
        if self._session.has_written_public_data:
            self._public_changed()
