from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from talelio_backend.app_feed.business.ports import Page
from talelio_backend.app_project.business.project import Project, ProjectStatus
from talelio_backend.app_project.data.project_table import project_table
from talelio_backend.app_user.data.user_repository import user_table

# Characters of HTML in one feed, of which the last project may go beyond. Readers give up on more.
FEED_SIZE = 2 * 1024 * 1024
# Rows fetched at a time: of the largest size they are 18 MiB.
_FETCHED = 8


class SqlAlchemyPublicProjects:
    """See `app_feed.business.ports.PublicProjects`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self, user_id: int, now: datetime, limit: int) -> Sequence[Project]:
        column = project_table.c
        query = select(Project).where(column.user_id == user_id, _is_public(now))
        query = query.order_by(column.published_at.desc(), column.id.desc()).limit(limit)
        found: list[Project] = []
        size = 0
        for project in self._session.scalars(query.execution_options(yield_per=_FETCHED)):
            found.append(project)
            size += len(project.html)
            if size > FEED_SIZE:
                break
        return found

    def pages(self, user_id: int | None, now: datetime, limit: int) -> Sequence[Page]:
        column = project_table.c
        # NULL is never the greatest.
        changed_at = func.greatest(column.updated_at, column.published_at)
        query = select(user_table.c.username, column.id, column.slug, changed_at.label('changed_at'))
        query = query.join(user_table, user_table.c.id == column.user_id).where(_is_public(now))
        if user_id is not None:
            query = query.where(column.user_id == user_id)
        query = query.order_by(column.published_at.desc(), column.id.desc()).limit(limit)
        return [
            Page(username=row.username, project_id=row.id, slug=row.slug, changed_at=row.changed_at)
            for row in self._session.execute(query)
        ]


def _is_public(now: datetime) -> ColumnElement[bool]:
    column = project_table.c
    return and_(column.status == ProjectStatus.PUBLISHED, column.published_at <= now)
