"""Which of a user's projects a list shows, in which order, and where a page of it begins."""
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from talelio_backend.app_project.business.domain.project import LIST_LENGTH, ProjectView
from talelio_backend.app_project.business.domain.search import Terms


class Sort(Enum):
    """Where two are alike, the older one comes first, or the newer one where the newest does."""

    NEWEST = 'newest'
    OLDEST = 'oldest'
    # Letter case does not count.
    TITLE = 'title'
    POSITION = 'position'
    # The newest first. What was never published, or changed, counts by when it was made.
    PUBLISHED_AT = 'published_at'
    UPDATED_AT = 'updated_at'
    # Of what a search finds.
    RELEVANCE = 'relevance'


# What a project is sorted by, beside its id.
SortValue = int | float | str | datetime


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place in a list, just after a project or, `backwards`, just before it."""

    value: SortValue
    id: int
    backwards: bool = False


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    limit: int = LIST_LENGTH
    sort: Sort = Sort.NEWEST
    # In normal form.
    tag: str | None = None
    # What they must have in them.
    terms: Terms | None = None
    # None begins at the beginning.
    cursor: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class ResultPage:
    """A page, which may be shorter than asked for, so that it fits into memory."""

    items: list[ProjectView]
    # How many there are on all pages.
    total: int
    # None where the page before, or the next one, would be empty.
    previous: Cursor | None = None
    next: Cursor | None = None


NOTHING = ResultPage(items=[], total=0)
