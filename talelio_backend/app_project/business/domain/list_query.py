"""The filters, the order and the pages of a list of projects."""
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from talelio_backend.app_project.business.domain.project import LIST_LENGTH, ProjectView
from talelio_backend.app_project.business.domain.search import Terms


class Sort(Enum):
    """The id breaks ties, in the direction of the order."""

    NEWEST = 'newest'
    OLDEST = 'oldest'
    # Case-insensitive.
    TITLE = 'title'
    POSITION = 'position'
    # Newest first. The creation time stands in for a missing one.
    PUBLISHED_AT = 'published_at'
    UPDATED_AT = 'updated_at'
    # Only for a search.
    RELEVANCE = 'relevance'


SortValue = int | float | str | datetime


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place in a list: right after a project, or right before it if `backwards`."""

    value: SortValue
    id: int
    backwards: bool = False


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    limit: int = LIST_LENGTH
    sort: Sort = Sort.NEWEST
    # In normal form.
    tag: str | None = None
    terms: Terms | None = None
    # None means the first page.
    cursor: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class ResultPage:
    """A page, which may be shorter than requested to bound memory."""

    items: list[ProjectView]
    # Over all pages.
    total: int
    # None where that page would be empty.
    previous: Cursor | None = None
    next: Cursor | None = None


EMPTY_PAGE = ResultPage(items=[], total=0)
