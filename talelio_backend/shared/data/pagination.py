from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import Column, Select

from talelio_backend.shared.business.pagination import PageRequest

QueryT = TypeVar('QueryT', bound=Select)  # type: ignore[type-arg]
RowT = TypeVar('RowT')


def newest_first(query: QueryT, id_column: Column[int], page: PageRequest) -> QueryT:
    """Ask for the rows of a page, and for one more: it shows whether there is a next page."""
    if page.before is not None:
        query = query.where(id_column < page.before)
    return query.order_by(id_column.desc()).limit(page.limit + 1)


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
