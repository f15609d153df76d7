"""Keyset pagination: every page is as fast as the first. https://use-the-index-luke.com/no-offset"""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    func,
    select,
    true,
    tuple_,
)

from talelio_backend.app_project.business.domain.list_query import Cursor, ListQuery, ResultPage, Sort
from talelio_backend.app_project.business.domain.project import ProjectView
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from talelio_backend.app_project.data.project_table import (
    LOWER_TITLE,
    PUBLISHED_OR_CREATED_AT,
    UPDATED_OR_CREATED_AT,
    project_table,
)
from talelio_backend.app_project.data.read_model.counts import count_table
from talelio_backend.app_project.data.read_model.page_limits import DRAFT, PAGE_SIZE, PUBLISHED, is_public
from talelio_backend.app_project.data.read_model.search_query import (
    matches,
    owner_term,
    relevance,
    to_query_text,
    to_tsquery,
)
from talelio_backend.app_project.data.read_model.view_columns import VIEW_COLUMNS, to_view
from talelio_backend.app_user.data.user_repository import user_table
from talelio_backend.shared.data.compiled_query import CompiledQuery

_columns = project_table.c
_DOCUMENT = VIEW_COLUMNS.index(_columns.document)


@dataclass(frozen=True)
class Order:
    """By a value and then by the id. Both have the same direction, which lets an index serve the order."""

    value: ColumnElement[Any]
    descending: bool


_QUERY = to_tsquery(bindparam('words', type_=Text))
_ORDERS = {
    Sort.NEWEST: Order(_columns.id, True),
    Sort.OLDEST: Order(_columns.id, False),
    Sort.TITLE: Order(LOWER_TITLE, False),
    Sort.POSITION: Order(_columns.position, False),
    Sort.PUBLISHED_AT: Order(PUBLISHED_OR_CREATED_AT, True),
    Sort.UPDATED_AT: Order(UPDATED_OR_CREATED_AT, True),
    Sort.RELEVANCE: Order(relevance(_QUERY), True),
}


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """The properties that determine the SQL text. Everything else is a bind parameter."""

    visibility: VisibilityFilter
    # Whether `user` is a username instead of an id.
    by_name: bool = False
    has_tag: bool = False
    has_terms: bool = False

    @property
    def user_id(self) -> ColumnElement[int]:
        if not self.by_name:
            return bindparam('user', type_=Integer)
        named = func.lower(user_table.c.username) == bindparam('user', type_=Text)
        return select(user_table.c.id).where(named).scalar_subquery()


def list_projects(
    connection: Connection, user: int | str, list_query: ListQuery, selection: Selection
) -> ResultPage:
    """`user` is an id or, for a first page without a tag or words, a username in lower case."""
    shape = _Shape(
        visibility=selection.visibility,
        by_name=isinstance(user, str),
        has_tag=list_query.tag is not None,
        has_terms=list_query.terms is not None,
    )
    cursor = list_query.cursor
    backwards = cursor is not None and cursor.backwards
    values: dict[str, Any] = {'user': user, 'now': selection.now, 'tags': [list_query.tag]}
    if list_query.terms is not None:
        assert isinstance(user, int)
        values |= {'words': to_query_text(list_query.terms), 'owner_term': owner_term(user)}
    place = {} if cursor is None else {'value': cursor.value, 'id': cursor.id}
    page = _page(shape, list_query.sort, backwards, cursor is not None)
    found = page.rows(connection, **values, **place, limit=list_query.limit, most=PAGE_SIZE)
    rows = [(to_view(row), row[-1]) for row in found[:list_query.limit] if row[_DOCUMENT] is not None]
    more = len(found) > len(rows)
    # A single page needs no count.
    is_all = cursor is None and not more
    total = len(rows) if is_all else _count(shape).rows(connection, **values)[0][0]
    return with_cursors(rows, cursor, more=more, total=total)


@cache
def _page(shape: _Shape, sort: Sort, backwards: bool, is_placed: bool) -> CompiledQuery:
    order = _ORDERS[sort]
    down = order.descending != backwards
    conditions = _conditions(shape)
    if order.value is _columns.id:
        # Ordering by `id` alone lets the planner scan the primary key until it has found enough projects of
        # this user. For old projects, that scan reads nearly the whole table.
        conditions[0] = _bounds(shape.user_id, below=not is_placed or not down, above=not is_placed or down)
        keys: list[ColumnElement[Any]] = [_columns.user_id, _columns.id]
        names, place = ['user_id', 'id'], [shape.user_id, bindparam('id')]
    else:
        keys = [order.value, _columns.id]
        names, place = ['value', 'id'], [bindparam('value'), bindparam('id')]
    if is_placed:
        conditions.append(tuple_(*keys) < tuple_(*place) if down else tuple_(*keys) > tuple_(*place))
    query = select(*VIEW_COLUMNS, order.value.label('value')).where(*conditions)
    # One more row shows whether there is another page.
    query = query.order_by(*_ordered(keys, down)).limit(bindparam('limit', type_=Integer) + 1)
    return CompiledQuery(_within_size(query.subquery('page'), names, down))


def _bounds(user_id: ColumnElement[int], *, below: bool, above: bool) -> ColumnElement[bool]:
    """Leave out the bound that the cursor replaces. The index scan then starts at the cursor."""
    return and_(
        _columns.user_id <= user_id if below else true(), _columns.user_id >= user_id if above else true()
    )


def _within_size(page: Subquery, order: Sequence[str], down: bool) -> Select[Any]:
    """Replace the documents of all rows after the first `most` bytes of documents by NULL.

    The server computes this from the sizes alone, which bounds the memory here.
    """
    size = func.octet_length(page.c.document)
    keys = _ordered([page.c[name] for name in order], down)
    before = func.sum(size).over(order_by=keys, rows=(None, 0)) - size
    fits = before <= bindparam('most')
    columns = [
        case((fits, column)).label(column.key) if column.key == 'document' else column for column in page.c
    ]
    return select(*columns).order_by(*keys)


@cache
def _count(shape: _Shape) -> CompiledQuery:
    return CompiledQuery(select(_total(shape)))


def _total(shape: _Shape) -> ColumnElement[int]:
    """Count the matches of a tag or words, and scheduled projects. The count table has all other totals."""
    if shape.has_tag or shape.has_terms or shape.visibility is VisibilityFilter.SCHEDULED:
        return _counted(_conditions(shape))
    kept = {
        VisibilityFilter.PUBLISHED: count_table.c.published,
        VisibilityFilter.DRAFT: count_table.c.drafts,
        VisibilityFilter.ALL: count_table.c.total
    }
    row = select(kept[shape.visibility]).where(count_table.c.user_id == shape.user_id).scalar_subquery()
    total: ColumnElement[int] = func.coalesce(row, 0)  # pylint: disable=assignment-from-no-return
    if shape.visibility is not VisibilityFilter.PUBLISHED:
        return total
    ahead = _Shape(visibility=VisibilityFilter.SCHEDULED, by_name=shape.by_name)
    return total - _counted(_conditions(ahead))


def _counted(conditions: list[ColumnElement[bool]]) -> ColumnElement[int]:
    return select(func.count()).select_from(project_table).where(*conditions).scalar_subquery()


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    conditions = [_columns.user_id == shape.user_id, _has_visibility(shape.visibility)]
    if shape.has_tag:
        conditions.append(_columns.tags.contains(bindparam('tags')))
    if shape.has_terms:
        conditions.append(matches(_QUERY, bindparam('owner_term')))
    return conditions


def _has_visibility(visibility: VisibilityFilter) -> ColumnElement[bool]:
    now: BindParameter[datetime] = bindparam('now')
    conditions: dict[VisibilityFilter, ColumnElement[bool]] = {
        VisibilityFilter.PUBLISHED:
        is_public(now),
        # The last condition is redundant, but can use the index.
        VisibilityFilter.SCHEDULED:
        and_(_columns.status == PUBLISHED, _columns.published_at > now, PUBLISHED_OR_CREATED_AT > now),
        VisibilityFilter.DRAFT:
        _columns.status == DRAFT,
        VisibilityFilter.ALL:
        true(),
    }
    return conditions[visibility]


def _ordered(keys: Sequence[ColumnElement[Any]], down: bool) -> list[ColumnElement[Any]]:
    return [key.desc() if down else key for key in keys]


def with_cursors(
    rows: list[tuple[ProjectView, Any]], cursor: Cursor | None, *, more: bool, total: int
) -> ResultPage:
    """`rows` are projects with their sort values, in the order of the query."""
    backwards = cursor is not None and cursor.backwards
    if backwards:
        rows = rows[::-1]
    before, after = (more, True) if backwards else (cursor is not None, more)
    ends: dict[str, Cursor] = {}
    if rows and before:
        ends['previous'] = Cursor(value=rows[0][1], id=rows[0][0].id, backwards=True)
    if rows and after:
        ends['next'] = Cursor(value=rows[-1][1], id=rows[-1][0].id)
    return ResultPage(items=[project for project, _ in rows], total=total, **ends)
