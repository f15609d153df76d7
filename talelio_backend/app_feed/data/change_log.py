"""The table of changes, with one row for each project. A trigger in the migrations writes it.

.github/decisions/0022-following.md explains the design.
"""
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Select,
    Sequence,
    Table,
    and_,
    delete,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from talelio_backend.app_feed.business.ports import Change, ChangeBatch
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.data.project_table import project_table
from talelio_backend.app_project.data.read_model.page_limits import FETCHED, PAGE_SIZE, size_of
from talelio_backend.shared.data.change_notifications import mark_public
from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.pagination import take_page

# The key of the advisory lock for assigning numbers: 'changes' in ASCII.
LOCK = 0x6368616E676573

NUMBERS = Sequence('project_change_numbers', metadata=metadata)

change_table = Table(
    'project_changes',
    metadata,
    # No foreign keys: a removal outlives the project and its owner.
    Column('project_id', Integer, primary_key=True, autoincrement=False),
    Column('user_id', Integer, nullable=False),
    # Ascending. NULL for a scheduled project that has not been public yet.
    Column('number', BigInteger, unique=True),
    # When the number was assigned.
    Column('changed_at', INSTANT, nullable=False),
    Column('removed', Boolean, nullable=False),
    # When a scheduled project becomes public.
    Column('due_at', INSTANT),
    CheckConstraint('number IS NOT NULL OR due_at IS NOT NULL', name='number_or_due_at'),
    CheckConstraint('removed OR due_at IS NULL', name='due_at_of_removed'),
    Index(None, 'user_id', 'number'),
)
Index('ix_project_changes_due_at', change_table.c.due_at, postgresql_where=change_table.c.due_at.is_not(None))
Index('ix_project_changes_changed_at_removed', change_table.c.changed_at, postgresql_where='removed')

mark_public(change_table)

# The maximum number of rows that a call to `settle` changes.
SETTLED = 1000

# A copy of a database has another system identifier or OID, and a restored one has another timeline.
_HISTORY = text(
    """
    SELECT left(encode(sha256(concat_ws('.',
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
    )::bytea), 'hex'), 8)
    """
)


def next_due(after: BindParameter[datetime]) -> Select[Any]:
    """Select the time at which the next scheduled project becomes public."""
    return select(func.min(change_table.c.due_at)).where(change_table.c.due_at > after)


class SqlAlchemyChangeLog:
    """See `app_feed.business.ports.ChangeLog`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def history(self) -> str:
        return str(self._session.scalar(_HISTORY))

    def settle(self, now: datetime, *, purge_before: datetime) -> bool:
        column = change_table.c
        is_due = column.due_at <= now
        is_expired = and_(column.removed, column.due_at.is_(None), column.changed_at < purge_before)
        if not self._session.scalar(select(exists().where(is_due) | exists().where(is_expired))):
            return False
        self._session.execute(select(func.pg_advisory_xact_lock(LOCK)))
        due = select(column.project_id).where(is_due).order_by(column.due_at).limit(SETTLED)
        self._session.execute(
            update(change_table).where(column.project_id.in_(due)).values(
                number=NUMBERS.next_value(), changed_at=func.clock_timestamp(), removed=False, due_at=None
            )
        )
        expired = select(column.project_id).where(is_expired).limit(SETTLED)
        self._session.execute(delete(change_table).where(column.project_id.in_(expired)))
        return True

    def after(self, number: int, limit: int) -> ChangeBatch:
        column = change_table.c
        # A single statement sees one snapshot, in which every row that is not removed has its project.
        query = select(column.number, column.project_id, column.removed, Project).outerjoin(
            project_table, and_(project_table.c.id == column.project_id, column.removed.is_(False))
        ).where(column.number > number).order_by(column.number).limit(limit + 1)
        rows = self._session.execute(query.execution_options(yield_per=FETCHED))
        changes, has_more = take_page(
            (Change(number=row.number, project_id=row.project_id, project=row.Project) for row in rows),
            limit, lambda change: 0 if change.project is None else size_of(change.project), PAGE_SIZE
        )
        return ChangeBatch(changes=changes, has_more=has_more)

    def changed_at(self, user_id: int | None) -> datetime | None:
        column = change_table.c
        query = select(column.changed_at).where(column.number.is_not(None))
        if user_id is not None:
            query = query.where(column.user_id == user_id)
        return self._session.scalar(query.order_by(column.number.desc()).limit(1))
