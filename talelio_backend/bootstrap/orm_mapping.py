"""The mapping of entities to tables, and the unit of work with all repositories."""
from collections.abc import Callable
from functools import cache
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

from talelio_backend.app_account.data.account_repository import (
    SqlAlchemyAccountRepository,
    SqlAlchemyEmailChangeRepository,
    SqlAlchemyWhitelist,
)
from talelio_backend.app_account.data.session_repository import (
    SqlAlchemyAccountStatuses,
    SqlAlchemySessionRepository,
)
from talelio_backend.app_asset.data.image_repository import SqlAlchemyImageRepository
from talelio_backend.app_feed.data.change_log import SqlAlchemyChangeLog
from talelio_backend.app_feed.data.public_projects import SqlAlchemyPublicProjects
from talelio_backend.app_project.data.project_repository import SqlAlchemyProjectRepository
from talelio_backend.app_project.data.read_model.view_repository import SqlAlchemyProjectViews
from talelio_backend.app_project.data.revision_repository import SqlAlchemyRevisionRepository
from talelio_backend.app_user.data.user_repository import SqlAlchemyUserIds, SqlAlchemyUserRepository
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.audit.data.audit_repository import SqlAlchemyAuditTrail
from talelio_backend.shared.data.change_notifications import ChangeTrackingSession
from talelio_backend.shared.data.read_session import SqlAlchemyReadSession
from talelio_backend.shared.data.repository import SqlAlchemyRepository
from talelio_backend.shared.data.unit_of_work import SqlAlchemyUnitOfWork
from talelio_backend.shared.idempotency.data.claim_repository import SqlAlchemyIdempotencyClaims
from talelio_backend.shared.mail.data.outbox_repository import SqlAlchemyOutbox
from talelio_backend.shared.rate_limits.data.counter_repository import SqlAlchemyCounterRepository

T = TypeVar('T')

_REPOSITORIES: tuple[type[SqlAlchemyRepository[Any]], ...] = (
    SqlAlchemyUserRepository,
    SqlAlchemyAccountRepository,
    SqlAlchemyWhitelist,
    SqlAlchemySessionRepository,
    SqlAlchemyEmailChangeRepository,
    SqlAlchemyProjectRepository,
    SqlAlchemyRevisionRepository,
    SqlAlchemyImageRepository,
    SqlAlchemyOutbox,
    SqlAlchemyIdempotencyClaims,
    SqlAlchemyAuditTrail,
    SqlAlchemyCounterRepository,
)


@cache
def map_entities() -> None:
    """Map the entities to their tables; cached, since a class can be mapped only once."""
    for repository in _REPOSITORIES:
        repository.map_entity()
    # Otherwise the first query of each process does it.
    configure_mappers()


class _Repository(Generic[T]):
    """A property of a unit of work: a repository in its session."""

    def __init__(self, make: Callable[[ChangeTrackingSession], T]) -> None:
        self._make = make

    def __get__(self, uow: SqlAlchemyUnitOfWork, owner: type[SqlAlchemyUnitOfWork]) -> T:
        return self._make(uow.session)


class UnitOfWork(SqlAlchemyUnitOfWork):
    """Implements the unit-of-work protocols of all features."""

    accounts = _Repository(SqlAlchemyAccountRepository)
    sessions = _Repository(SqlAlchemySessionRepository)
    whitelist = _Repository(SqlAlchemyWhitelist)
    email_changes = _Repository(SqlAlchemyEmailChangeRepository)
    users = _Repository(SqlAlchemyUserRepository)
    user_ids = _Repository(lambda session: SqlAlchemyUserIds(session.connection()))
    projects = _Repository(SqlAlchemyProjectRepository)
    revisions = _Repository(SqlAlchemyRevisionRepository)
    changes = _Repository(SqlAlchemyChangeLog)
    public_projects = _Repository(SqlAlchemyPublicProjects)
    images = _Repository(SqlAlchemyImageRepository)
    outbox = _Repository(SqlAlchemyOutbox)
    idempotency_claims = _Repository(SqlAlchemyIdempotencyClaims)
    counters = _Repository(SqlAlchemyCounterRepository)

    def __init__(
        self,
        engine: Engine,
        *,
        notify: Callable[[EventKind], None] = lambda kind: None,
        public_changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`public_changed` is called after a commit that may have changed public data, then `notify` for each
        committed audit event.
        """
        super().__init__(engine, public_changed)
        self._notify = notify
        self._recorded: list[EventKind] = []

    def __enter__(self) -> Self:
        self._recorded.clear()
        return super().__enter__()

    def commit(self, result: object = None) -> None:
        super().commit(result)
        for kind in self._recorded:
            self._notify(kind)
        self._recorded.clear()

    @property
    def audit(self) -> SqlAlchemyAuditTrail:
        return SqlAlchemyAuditTrail(self.session, self._recorded.append)


class ReadSession(SqlAlchemyReadSession):
    """See `shared.business.unit_of_work.ReadSession`."""

    @property
    def sessions(self) -> SqlAlchemyAccountStatuses:
        return SqlAlchemyAccountStatuses(self._connection)

    @property
    def user_ids(self) -> SqlAlchemyUserIds:
        return SqlAlchemyUserIds(self._connection)

    @property
    def project_views(self) -> SqlAlchemyProjectViews:
        return SqlAlchemyProjectViews(self._connection)
