"""Lists of projects by keyset: a page begins after a value of the order's index, however far down it is.

https://use-the-index-luke.com/no-offset
"""
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true, tuple_
from sqlalchemy.orm import Session

from talelio_backend.app_project.business.listing import Cursor, Listed, Listing, Sort
from talelio_backend.app_project.business.project import Project, ProjectStatus
from talelio_backend.app_project.business.visibility import Selection, Showing
from talelio_backend.app_project.data.project_pages import FETCHED, PAGE_SIZE, is_public, size_of
from talelio_backend.app_project.data.project_search import relevance, to_tsquery
from talelio_backend.app_project.data.project_table import (
    LOWER_TITLE,
    PUBLISHED_OR_CREATED_AT,
    UPDATED_OR_CREATED_AT,
    project_table,
)
from talelio_backend.shared.data.paging import fill

_columns = project_table.c


@dataclass(frozen=True)
class Order:
    """By a value and then by the id, both upwards or both downwards, as an index can be read."""

    value: ColumnElement[Any]
    descending: bool


_ORDERS = {
    Sort.NEWEST: Order(_columns.id, True),
    Sort.OLDEST: Order(_columns.id, False),
    Sort.TITLE: Order(LOWER_TITLE, False),
    Sort.POSITION: Order(_columns.position, False),
    Sort.PUBLISHED_AT: Order(PUBLISHED_OR_CREATED_AT, True),
    Sort.UPDATED_AT: Order(UPDATED_OR_CREATED_AT, True),
}


def list_projects(session: Session, user_id: int, listing: Listing, selection: Selection) -> Listed:
    conditions = [_columns.user_id == user_id, _is_selected(selection)]
    if listing.tag is not None:
        conditions.append(_columns.tags.contains([listing.tag]))
    order = _ORDERS.get(listing.sort)
    if listing.terms is not None:
        query = to_tsquery(listing.terms)
        conditions.append(_columns.search.bool_op('@@')(query))
        order = order or Order(relevance(query), True)
    assert order is not None, 'only a search has relevance'
    found = select(Project, order.value).where(*conditions)
    page = session.execute(_page(found, order, listing).execution_options(yield_per=FETCHED))
    rows, more = fill((tuple(row) for row in page), listing.limit, lambda row: size_of(row[0]), PAGE_SIZE)
    count = select(func.count()).select_from(project_table).where(*conditions)
    # Where all is on the page, the server need not count it.
    total = len(rows) if listing.cursor is None and not more else session.scalar(count) or 0
    return with_cursors(rows, listing.cursor, more=more, total=total)


def _page(query: Select[Any], order: Order, listing: Listing) -> Select[Any]:
    backwards = listing.cursor is not None and listing.cursor.backwards
    down = order.descending != backwards
    # The same value twice would keep the server from reading the index in its order.
    keys = [_columns.id] if order.value is _columns.id else [order.value, _columns.id]
    if listing.cursor is not None:
        place = [listing.cursor.id] if len(keys) == 1 else [listing.cursor.value, listing.cursor.id]
        query = query.where(tuple_(*keys) < tuple_(*place) if down else tuple_(*keys) > tuple_(*place))
    # One more shows whether there is another page.
    return query.order_by(*(key.desc() if down else key for key in keys)).limit(listing.limit + 1)


def with_cursors(rows: list[tuple[Project, Any]], cursor: Cursor | None, *, more: bool, total: int) -> Listed:
    """`rows` are projects with what they are sorted by, in the order in which they were read."""
    backwards = cursor is not None and cursor.backwards
    if backwards:
        rows = rows[::-1]
    before, after = (more, True) if backwards else (cursor is not None, more)
    ends: dict[str, Cursor] = {}
    if rows and before:
        ends['previous'] = Cursor(value=rows[0][1], id=rows[0][0].id, backwards=True)
    if rows and after:
        ends['next'] = Cursor(value=rows[-1][1], id=rows[-1][0].id)
    return Listed(items=[project for project, _ in rows], total=total, **ends)


def _is_selected(selection: Selection) -> ColumnElement[bool]:
    conditions: dict[Showing, ColumnElement[bool]] = {
        Showing.PUBLISHED: is_public(selection.now),
        Showing.SCHEDULED:
        and_(_columns.status == ProjectStatus.PUBLISHED, _columns.published_at > selection.now),
        Showing.DRAFT: _columns.status == ProjectStatus.DRAFT,
        Showing.ALL: true(),
    }
    return conditions[selection.showing]
