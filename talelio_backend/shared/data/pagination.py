from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Column, Select

from talelio_backend.shared.business.pagination import Page, PageRequest

QueryT = TypeVar('QueryT', bound=Select)  # type: ignore[type-arg]
RowT = TypeVar('RowT')


def newest_first(query: QueryT, id_column: Column[int], page: PageRequest) -> QueryT:
    """Select the rows of a page and one more, which shows whether there is a next page."""
    if page.before is not None:
        query = query.where(id_column < page.before)
    return query.order_by(id_column.desc()).limit(page.limit + 1)


def page_of(rows: Sequence[RowT], page: PageRequest, id_of: Callable[[RowT], int]) -> Page[RowT]:
    items = list(rows[:page.limit])
    return Page(items=items, next_before=id_of(items[-1]) if len(rows) > page.limit else None)


def take_page(rows: Iterable[RowT], limit: int, size_of: Callable[[RowT], int],
              max_size: int) -> tuple[list[RowT], bool]:
    """Take at most `limit` rows, and stop after their summed size exceeds `max_size`.

    Return the rows, and whether more follow.
    """
    taken: list[RowT] = []
    size = 0
    for row in rows:
        if len(taken) == limit or size > max_size:
            return taken, True
        taken.append(row)
        size += size_of(row)
    return taken, False
