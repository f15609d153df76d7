from sqlalchemy import Connection, bindparam, select

from talelio_backend.app_project.business.listing import Listed, Listing
from talelio_backend.app_project.business.project import ShownProject
from talelio_backend.app_project.business.visibility import Selection
from talelio_backend.app_project.data.project_lists import list_projects
from talelio_backend.app_project.data.project_table import old_slug_table, project_table
from talelio_backend.app_project.data.shown_columns import SHOWN_COLUMNS, shown
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

    def list_at_once(self, username: str, listing: Listing, selection: Selection) -> Listed | None:
        if listing.cursor is not None or listing.tag is not None or listing.terms is not None:
            # How it is best found depends on whose it is; the server decides it before it looks for that.
            return None
        listed = list_projects(self._connection, username.lower(), listing, selection)
        return listed if listed.items else None

    def _first(self, query: PreparedQuery, **values: int | str) -> ShownProject | None:
        row = query.first(self._connection, **values)
        return None if row is None else shown(row)
