"""Who sees which project: what is public, everybody; the rest, its owner alone."""
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from talelio_backend.app_project.business.domain.errors import NotYourProject, ProjectNotFound
from talelio_backend.app_project.business.domain.project import Project, ProjectView

ProjectT = TypeVar('ProjectT', bound=ProjectView)


class VisibilityFilter(Enum):
    """Which projects of a user a list is about."""

    PUBLISHED = 'published'
    # Published, but only from a time on that lies ahead.
    SCHEDULED = 'scheduled'
    DRAFT = 'draft'
    ALL = 'all'


@dataclass(frozen=True, kw_only=True)
class Selection:
    showing: VisibilityFilter
    now: datetime


def seen_by(showing: VisibilityFilter, *, owner: bool) -> VisibilityFilter | None:
    """Return what is left for this reader of what was asked for; None for nothing."""
    if owner or showing is VisibilityFilter.PUBLISHED:
        return showing
    return VisibilityFilter.PUBLISHED if showing is VisibilityFilter.ALL else None


def check_seen(project: ProjectT | None, reader_id: int | None, now: datetime) -> ProjectT:
    """`reader_id` is the user's, None for a stranger. Raises ProjectNotFound."""
    if project is None or (project.user_id != reader_id and not project.is_public(now)):
        raise ProjectNotFound()
    return project


def check_owned(project: Project | None, user_id: int, now: datetime) -> Project:
    """Raises ProjectNotFound or NotYourProject."""
    seen = check_seen(project, user_id, now)
    if seen.user_id != user_id:
        raise NotYourProject()
    return seen
