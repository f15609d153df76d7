from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Column, Select

from talelio_backend.shared.business.pagination import Page, PageRequest

QueryT = TypeVar('QueryT', bound=Select)  # type: ignore[type-arg]
RowT = TypeVar('RowT')


def newest_first(query: QueryT, id_column: Column[int], page: PageRequest) -> QueryT:
    """Select the rows of a page and one more, which tells `page_of` whether there is a next page."""
    if page.before is not None:
        query = query.where(id_column < page.before)
    return query.order_by(id_column.desc()).limit(page.limit + 1)


def page_of(rows: Sequence[RowT], page: PageRequest, id_of: Callable[[RowT], int]) -> Page[RowT]:
    items = list(rows[:page.limit])
    return Page(items=items, next_before=id_of(items[-1]) if len(rows) > page.limit else None)


def fill(rows: Iterable[RowT], limit: int, size_of: Callable[[RowT], int],
         most: int) -> tuple[list[RowT], bool]:
    """Take rows up to a number, or until those taken are larger than `most` together.

    Return them, and whether there is another one.
    """
    taken: list[RowT] = []
    size = 0
    for row in rows:
        if len(taken) == limit or size > most:
            return taken, True
        taken.append(row)
        size += size_of(row)
    return taken, False
