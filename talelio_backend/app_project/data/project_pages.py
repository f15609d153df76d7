"""What all that read many projects at a time have in common."""
from datetime import datetime

from sqlalchemy import ColumnElement, and_

from talelio_backend.app_project.business.project import Project, ProjectStatus
from talelio_backend.app_project.data.project_table import project_table

# Characters of Markdown and HTML in one page. A thousand projects of the largest size would be gigabytes.
PAGE_SIZE = 16 * 1024 * 1024
# Rows fetched at a time: of the largest size they are 18 MiB.
FETCHED = 8


def is_public(now: datetime) -> ColumnElement[bool]:
    """See `Project.is_public`."""
    column = project_table.c
    return and_(column.status == ProjectStatus.PUBLISHED, column.published_at <= now)


def size_of(project: Project) -> int:
    return len(project.body) + len(project.html)
