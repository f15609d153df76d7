"""The mapping of entities to tables, and the unit of work with all repositories."""
from collections.abc import Callable
from functools import cache
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

from talelio_backend.app_account.data.account_repository import SqlAlchemyAccountRepository, map_account
from talelio_backend.app_account.data.email_change_repository import (
    SqlAlchemyEmailChangeRepository,
    map_email_change,
)
from talelio_backend.app_account.data.session_repository import (
    SqlAlchemyAccountStatuses,
    SqlAlchemySessionRepository,
    map_session,
)
from talelio_backend.app_account.data.whitelist_repository import SqlAlchemyWhitelist, map_whitelist_entry
from talelio_backend.app_asset.data.image_repository import SqlAlchemyImageRepository, map_image
from talelio_backend.app_feed.data.change_log import SqlAlchemyChangeLog
from talelio_backend.app_feed.data.public_projects import SqlAlchemyPublicProjects
from talelio_backend.app_project.data.project_repository import SqlAlchemyProjectRepository
from talelio_backend.app_project.data.project_table import map_project
from talelio_backend.app_project.data.read_model.view_repository import SqlAlchemyProjectViews
from talelio_backend.app_project.data.revision_repository import SqlAlchemyRevisionRepository, map_revision
from talelio_backend.app_user.data.user_repository import (
    SqlAlchemyUserIds,
    SqlAlchemyUserRepository,
    map_user,
)
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.audit.data.audit_repository import SqlAlchemyAuditTrail, map_security_event
from talelio_backend.shared.data.read_session import SqlAlchemyReadSession
from talelio_backend.shared.data.unit_of_work import SqlAlchemyUnitOfWork
from talelio_backend.shared.idempotency.data.claim_repository import (
    SqlAlchemyIdempotencyClaims,
    map_idempotency_claim,
)
from talelio_backend.shared.mail.data.outbox_repository import SqlAlchemyOutbox, map_outbox
from talelio_backend.shared.rate_limits.data.counter_repository import (
    SqlAlchemyCounterRepository,
    map_counter,
)


@cache
def map_entities() -> None:
    """Map the entities to their tables; cached, since a class can be mapped only once."""
    map_user()
    map_account()
    map_whitelist_entry()
    map_session()
    map_email_change()
    map_project()
    map_revision()
    map_image()
    map_outbox()
    map_idempotency_claim()
    map_security_event()
    map_counter()
    # Otherwise the first query of each process does it.
    configure_mappers()


class UnitOfWork(SqlAlchemyUnitOfWork):
    """Implements the unit-of-work protocols of all features."""

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
    def accounts(self) -> SqlAlchemyAccountRepository:
        return SqlAlchemyAccountRepository(self._session)

    @property
    def sessions(self) -> SqlAlchemySessionRepository:
        return SqlAlchemySessionRepository(self._session)

    @property
    def whitelist(self) -> SqlAlchemyWhitelist:
        return SqlAlchemyWhitelist(self._session)

    @property
    def email_changes(self) -> SqlAlchemyEmailChangeRepository:
        return SqlAlchemyEmailChangeRepository(self._session)

    @property
    def users(self) -> SqlAlchemyUserRepository:
        return SqlAlchemyUserRepository(self._session)

    @property
    def user_ids(self) -> SqlAlchemyUserIds:
        return SqlAlchemyUserIds(self._session.connection())

    @property
    def projects(self) -> SqlAlchemyProjectRepository:
        return SqlAlchemyProjectRepository(self._session)

    @property
    def revisions(self) -> SqlAlchemyRevisionRepository:
        return SqlAlchemyRevisionRepository(self._session)

    @property
    def changes(self) -> SqlAlchemyChangeLog:
        return SqlAlchemyChangeLog(self._session)

    @property
    def public_projects(self) -> SqlAlchemyPublicProjects:
        return SqlAlchemyPublicProjects(self._session)

    @property
    def images(self) -> SqlAlchemyImageRepository:
        return SqlAlchemyImageRepository(self._session)

    @property
    def outbox(self) -> SqlAlchemyOutbox:
        return SqlAlchemyOutbox(self._session)

    @property
    def idempotency_claims(self) -> SqlAlchemyIdempotencyClaims:
        return SqlAlchemyIdempotencyClaims(self._session)

    @property
    def audit(self) -> SqlAlchemyAuditTrail:
        return SqlAlchemyAuditTrail(self._session, self._recorded.append)

    @property
    def counters(self) -> SqlAlchemyCounterRepository:
        return SqlAlchemyCounterRepository(self._session)


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
