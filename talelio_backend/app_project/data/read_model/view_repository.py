from sqlalchemy import Connection, bindparam, select

from talelio_backend.app_project.business.domain.list_query import ListQuery, ResultPage
from talelio_backend.app_project.business.domain.project import ProjectView
from talelio_backend.app_project.business.domain.visibility import Selection
from talelio_backend.app_project.data.project_table import old_slug_table, project_table
from talelio_backend.app_project.data.read_model.list_query import list_projects
from talelio_backend.app_project.data.read_model.view_columns import VIEW_COLUMNS, to_view
from talelio_backend.shared.data.compiled_query import CompiledQuery

_columns = project_table.c
_old = old_slug_table.c
_BY_ID = CompiledQuery(select(*VIEW_COLUMNS).where(_columns.id == bindparam('project_id')))
_BY_SLUG = CompiledQuery(
    select(*VIEW_COLUMNS).where(_columns.user_id == bindparam('user_id'), _columns.slug == bindparam('slug'))
)
_BY_OLD_SLUG = CompiledQuery(
    select(*VIEW_COLUMNS).join(old_slug_table, _old.project_id == _columns.id
                               ).where(_old.user_id == bindparam('user_id'), _old.slug == bindparam('slug'))
)


class SqlAlchemyProjectViews:
    """See `app_project.business.ports.ProjectViews`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, project_id: int) -> ProjectView | None:
        return self._first(_BY_ID, project_id=project_id)

    def get_by_slug(self, user_id: int, slug: str) -> ProjectView | None:
        return self._first(_BY_SLUG, user_id=user_id, slug=slug)

    def get_by_old_slug(self, user_id: int, slug: str) -> ProjectView | None:
        return self._first(_BY_OLD_SLUG, user_id=user_id, slug=slug)

    def list_of_user(self, user_id: int, list_query: ListQuery, selection: Selection) -> ResultPage:
        return list_projects(self._connection, user_id, list_query, selection)

    def list_by_username(
        self, username: str, list_query: ListQuery, selection: Selection
    ) -> ResultPage | None:
        if list_query.cursor is not None or list_query.tag is not None or list_query.terms is not None:
            # The best plan depends on the user, so the planner must know the id.
            return None
        page = list_projects(self._connection, username.lower(), list_query, selection)
        return page if page.items else None

    def _first(self, query: CompiledQuery, **values: int | str) -> ProjectView | None:
        row = query.first(self._connection, **values)
        return None if row is None else to_view(row)
