from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from talelio_backend.app_feed.business.ports import Page
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.data.project_table import PUBLISHED_OR_CREATED_AT, project_table
from talelio_backend.app_project.data.read_model.page_limits import FETCHED, is_public
from talelio_backend.app_user.data.user_repository import user_table
from talelio_backend.shared.data.pagination import take_page

# Feed readers reject large feeds. No project is added after the HTML exceeds this many characters.
FEED_SIZE = 2 * 1024 * 1024


class SqlAlchemyPublicProjects:
    """See `app_feed.business.ports.PublicProjects`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self, user_id: int, now: datetime, limit: int) -> Sequence[Project]:
        column = project_table.c
        query = select(Project).where(column.user_id == user_id, is_public(now))
        # For public projects this is the time of publication, and it is indexed.
        query = query.order_by(PUBLISHED_OR_CREATED_AT.desc(), column.id.desc()).limit(limit)
        rows = self._session.scalars(query.execution_options(yield_per=FETCHED))
        return take_page(rows, limit, lambda project: len(project.html), FEED_SIZE)[0]

    def pages(self, user_id: int | None, now: datetime, limit: int) -> Sequence[Page]:
        column = project_table.c
        # greatest() ignores NULL.
        changed_at = func.greatest(column.updated_at, column.published_at)
        query = select(user_table.c.username, column.id, column.slug, changed_at.label('changed_at'))
        query = query.join(user_table, user_table.c.id == column.user_id).where(is_public(now))
        if user_id is not None:
            query = query.where(column.user_id == user_id)
        query = query.order_by(column.published_at.desc(), column.id.desc()).limit(limit)
        return [
            Page(username=row.username, project_id=row.id, slug=row.slug, changed_at=row.changed_at)
            for row in self._session.execute(query)
        ]
