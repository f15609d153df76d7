from sqlalchemy import Connection, bindparam, select

from talelio_backend.app_project.business.listing import NOTHING, Listed, Listing
from talelio_backend.app_project.business.project import ShownProject
from talelio_backend.app_project.business.visibility import Selection
from talelio_backend.app_project.data.project_lists import list_projects
from talelio_backend.app_project.data.project_table import old_slug_table, project_table
from talelio_backend.app_project.data.shown_columns import SHOWN_COLUMNS, shown
from talelio_backend.app_user.data.user_repository import SqlAlchemyUserIds
from talelio_backend.shared.data.prepared import PreparedQuery

_columns = project_table.c
_old = old_slug_table.c
_BY_ID = PreparedQuery(select(*SHOWN_COLUMNS).where(_columns.id == bindparam('project_id')))
_BY_SLUG = PreparedQuery(
    select(*SHOWN_COLUMNS
           ).where(_columns.user_id == bindparam('user_id'), _columns.slug == bindparam('slug'))
)
_BY_OLD_SLUG = PreparedQuery(
    select(*SHOWN_COLUMNS).join(old_slug_table, _old.project_id == _columns.id
                                ).where(_old.user_id == bindparam('user_id'), _old.slug == bindparam('slug'))
)


class SqlAlchemyShownProjects:
    """See `app_project.business.ports.ShownProjects`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, project_id: int) -> ShownProject | None:
        return self._first(_BY_ID, project_id=project_id)

    def get_by_slug(self, user_id: int, slug: str) -> ShownProject | None:
        return self._first(_BY_SLUG, user_id=user_id, slug=slug)

    def get_by_old_slug(self, user_id: int, slug: str) -> ShownProject | None:
        return self._first(_BY_OLD_SLUG, user_id=user_id, slug=slug)

    def list_of_user(self, user_id: int, listing: Listing, selection: Selection) -> Listed:
        return list_projects(self._connection, user_id, listing, selection)

    def list_of_username(self, username: str, listing: Listing, selection: Selection) -> Listed:
        if listing.tag is None and listing.terms is None:
            return list_projects(self._connection, username.lower(), listing, selection)
        # How they are best found depends on whose they are, and the server decides it before it looks for that.
        user_id = SqlAlchemyUserIds(self._connection).by_username(username)
        return NOTHING if user_id is None else self.list_of_user(user_id, listing, selection)

    def _first(self, query: PreparedQuery, **values: int | str) -> ShownProject | None:
        row = query.first(self._connection, **values)
        return None if row is None else shown(row)
