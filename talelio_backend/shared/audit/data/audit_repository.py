from collections.abc import Callable
from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Table, Text, delete, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from talelio_backend.shared.audit.business.audit_trail import EventKind, EventQuery, SecurityEvent
from talelio_backend.shared.data.orm import INSTANT, metadata, text_enum
from talelio_backend.shared.data.repository import SqlAlchemyRepository

security_event_table = Table(
    'security_events',
    metadata,
    Column('id', BigInteger, Identity(always=True), primary_key=True),
    Column('occurred_at', INSTANT, nullable=False, index=True),
    Column('kind', text_enum(EventKind, 40), nullable=False),
    # No foreign key: the trail outlives the account.
    Column('account_id', Integer),
    Column('actor', Text, nullable=False),
    Column('address', Text),
    Column('network', Text),
    Column('user_agent', Text),
    Column('request_id', Text),
    Column('details', JSONB, nullable=False),
    Index('ix_security_events_account_id_occurred_at', 'account_id', 'occurred_at'),
)
# Events without an address need no further pruning of it.
Index(
    'ix_security_events_occurred_at_address',
    security_event_table.c.occurred_at,
    postgresql_where=security_event_table.c.address.is_not(None),
)


class SqlAlchemyAuditTrail(SqlAlchemyRepository[SecurityEvent]):
    """See `shared.audit.business.audit_trail.AuditTrail`."""

    entity = SecurityEvent
    table = security_event_table

    def __init__(self, session: Session, notify: Callable[[EventKind], None] = lambda kind: None) -> None:
        """`notify` is called for each event that is added."""
        super().__init__(session)
        self._notify = notify

    def add(self, entity: SecurityEvent) -> None:
        # No flush: nobody needs the id.
        self._session.add(entity)
        self._notify(entity.kind)

    def find(self, query: EventQuery) -> list[SecurityEvent]:
        columns = security_event_table.c
        statement = select(SecurityEvent).order_by(columns.occurred_at.desc(), columns.id.desc())
        if query.account_id is not None:
            statement = statement.where(columns.account_id == query.account_id)
        if query.kind is not None:
            statement = statement.where(columns.kind == query.kind)
        if query.since is not None:
            statement = statement.where(columns.occurred_at >= query.since)
        return list(self._session.scalars(statement.limit(query.limit)))

    def forget_addresses(self, before: datetime, limit: int) -> int:
        columns = security_event_table.c
        old = self._batch(
            limit, columns.occurred_at < before, columns.address.is_not(None), order=columns.occurred_at
        )
        return self._execute(update(security_event_table).where(old).values(address=None))

    def delete_before(self, before: datetime, limit: int) -> int:
        occurred_at = security_event_table.c.occurred_at
        old = self._batch(limit, occurred_at < before, order=occurred_at)
        return self._execute(delete(security_event_table).where(old))
