"""Limits and conditions for reading many projects at once."""
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, literal_column

from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.data.project_table import project_table

# The size of the documents in a page. A thousand projects of maximum size would be gigabytes.
PAGE_SIZE = 16 * 1024 * 1024
# Rows to fetch at once, which have at most 18 MiB.
FETCHED = 8

# Literals instead of parameters. They need no escaping.
PUBLISHED: ColumnElement[str] = literal_column(f"'{ProjectStatus.PUBLISHED.value}'")
DRAFT: ColumnElement[str] = literal_column(f"'{ProjectStatus.DRAFT.value}'")


def is_public(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """See `Project.is_public`."""
    column = project_table.c
    return and_(column.status == PUBLISHED, column.published_at <= now)


def size_of(project: Project) -> int:
    return len(project.document)
