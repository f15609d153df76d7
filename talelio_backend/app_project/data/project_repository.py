from sqlalchemy import Column, ForeignKey, Identity, Index, Integer, Table, Text, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talelio_backend.app_project.business.project import Project
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.page import Page, PageRequest
from talelio_backend.shared.data.database import broken_constraint
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata
from talelio_backend.shared.data.paging import newest_first

AUTHOR_EXISTS = 'fk_projects_user_id_users'

# Characters of Markdown and HTML in one page. A thousand projects of the largest size would be gigabytes.
PAGE_SIZE = 16 * 1024 * 1024
# Rows fetched at a time: of the largest size they are 18 MiB.
_BATCH = 8

project_table = Table(
    'projects',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('user_id', ForeignKey('users.id', name=AUTHOR_EXISTS, ondelete='CASCADE'), nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('updated_at', INSTANT),
    Column('title', Text, nullable=False),
    Column('body', Text, nullable=False),
    Column('html', Text, nullable=False),
    # The order of the list, so that any page of it is read straight off the index.
    Index(None, 'user_id', 'id'),
)


def map_project() -> None:
    mapper_registry.map_imperatively(Project, project_table)


class SqlAlchemyProjectRepository:
    """See `app_project.business.ports.ProjectRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, project: Project) -> None:
        self._session.add(project)
        try:
            self._session.flush()
        except IntegrityError as error:
            if broken_constraint(error) == AUTHOR_EXISTS:
                raise AccountGone() from error
            raise

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Project]:
        query = newest_first(
            select(Project).where(project_table.c.user_id == user_id), project_table.c.id, page
        )
        items: list[Project] = []
        size = 0
        for project in self._session.scalars(query.execution_options(yield_per=_BATCH)):
            if len(items) == page.limit or size > PAGE_SIZE:
                return Page(items=items, next_before=items[-1].id)
            items.append(project)
            size += len(project.body) + len(project.html)
        return Page(items=items, next_before=None)
