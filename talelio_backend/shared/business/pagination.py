from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar('ItemT')


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """A stretch of a list that is sorted by id, newest first."""

    limit: int
    # Only what is older than the item of this id; None begins with the newest.
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Page(Generic[ItemT]):
    items: list[ItemT]
    # Where the next page begins; None when this is the last one.
    next_before: int | None
