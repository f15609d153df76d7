from datetime import datetime

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    delete,
    func,
    or_,
    select,
)

from talelio_backend.app_project.business.domain.revision import Revision, RevisionEntry
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.pagination import newest_first, page_of
from talelio_backend.shared.data.repository import SqlAlchemyRepository

revision_table = Table(
    'project_revisions',
    metadata,
    Column('project_id', ForeignKey('projects.id', ondelete='CASCADE'), nullable=False),
    Column('number', Integer, nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('title', Text, nullable=False),
    Column('body', Text, nullable=False),
    Column('summary', Text),
    PrimaryKeyConstraint('project_id', 'number'),
)


class SqlAlchemyRevisionRepository(SqlAlchemyRepository[Revision]):
    """See `app_project.business.ports.RevisionRepository`."""

    entity = Revision
    table = revision_table

    def next_number(self, project_id: int) -> int:
        newest = select(func.max(revision_table.c.number)).where(revision_table.c.project_id == project_id)
        return (self._session.scalar(newest) or 0) + 1

    def page_of_project(self, project_id: int, page: PageRequest) -> Page[RevisionEntry]:
        columns = revision_table.c
        query = select(
            columns.number,
            columns.created_at,
            columns.title,
            func.octet_length(columns.body).label('size'),
        ).where(columns.project_id == project_id)
        found = [
            RevisionEntry(number=row.number, created_at=row.created_at, title=row.title, size=row.size)
            for row in self._session.execute(newest_first(query, columns.number, page))
        ]
        return page_of(found, page, lambda entry: entry.number)

    def prune(self, project_id: int, *, keep: int, always_keep: int, older_than: datetime) -> None:
        columns = revision_table.c
        newest = select(columns.number).where(columns.project_id == project_id
                                              ).order_by(columns.number.desc())
        # With fewer revisions the subquery is NULL, and the condition matches nothing.
        too_many = columns.number <= newest.offset(keep).limit(1).scalar_subquery()
        old = and_(
            columns.number <= newest.offset(always_keep).limit(1).scalar_subquery(),
            columns.created_at < older_than,
        )
        self._session.execute(
            delete(revision_table).where(columns.project_id == project_id, or_(too_many, old))
        )
