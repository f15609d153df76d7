from typing import TypeVar

from sqlalchemy import Column, Select

from talelio_backend.shared.business.page import PageRequest

QueryT = TypeVar('QueryT', bound=Select)  # type: ignore[type-arg]


def newest_first(query: QueryT, id_column: Column[int], page: PageRequest) -> QueryT:
    """Ask for the rows of a page, and for one more: it shows whether there is a next page."""
    if page.before is not None:
        query = query.where(id_column < page.before)
    return query.order_by(id_column.desc()).limit(page.limit + 1)
