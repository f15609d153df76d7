from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar('ItemT')


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """A slice of a list that is sorted by id, newest first."""

    limit: int
    # Only items with a smaller id; None starts with the newest.
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Page(Generic[ItemT]):
    items: list[ItemT]
    # The `before` of the next page; None on the last page.
    next_before: int | None
