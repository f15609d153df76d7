"""Everybody sees public projects. Only the owner sees drafts and scheduled projects."""
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from talelio_backend.app_project.business.domain.errors import NotYourProject, ProjectNotFound
from talelio_backend.app_project.business.domain.project import Project, ProjectView

ProjectT = TypeVar('ProjectT', bound=ProjectView)


class VisibilityFilter(Enum):
    PUBLISHED = 'published'
    # Published at a time in the future.
    SCHEDULED = 'scheduled'
    DRAFT = 'draft'
    ALL = 'all'


@dataclass(frozen=True, kw_only=True)
class Selection:
    visibility: VisibilityFilter
    now: datetime


def visible_to(visibility: VisibilityFilter, *, owner: bool) -> VisibilityFilter | None:
    """Return the part of the filter that this reader may see, or None."""
    if owner or visibility is VisibilityFilter.PUBLISHED:
        return visibility
    return VisibilityFilter.PUBLISHED if visibility is VisibilityFilter.ALL else None


def check_visible(project: ProjectT | None, reader_id: int | None, now: datetime) -> ProjectT:
    """An anonymous reader has no `reader_id`. Raises ProjectNotFound."""
    if project is None or (project.user_id != reader_id and not project.is_public(now)):
        raise ProjectNotFound()
    return project


def check_owned(project: Project | None, user_id: int, now: datetime) -> Project:
    """Raises ProjectNotFound or NotYourProject."""
    visible = check_visible(project, user_id, now)
    if visible.user_id != user_id:
        raise NotYourProject()
    return visible
