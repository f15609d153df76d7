from datetime import datetime

from talelio_backend.app_project.business.domain.errors import ProjectNotFound
from talelio_backend.app_project.business.domain.list_query import EMPTY_PAGE, ListQuery, ResultPage
from talelio_backend.app_project.business.domain.project import ProjectView
from talelio_backend.app_project.business.domain.slug import is_well_formed_slug
from talelio_backend.app_project.business.domain.visibility import (
    Selection,
    VisibilityFilter,
    check_visible,
    visible_to,
)
from talelio_backend.app_project.business.ports import ProjectReadSession
from talelio_backend.app_user.business.errors import UserNotFound
from talelio_backend.app_user.business.services import find_own_user_id, find_user_id
from talelio_backend.app_user.business.user import is_well_formed_username
from talelio_backend.shared.business.identity import Identity


def show(
    read_session: ProjectReadSession, reader: Identity | None, project_id: int, now: datetime
) -> ProjectView:
    """Raises ProjectNotFound or AccountGone."""
    with read_session:
        return check_visible(read_session.project_views.get(project_id), _user_id(read_session, reader), now)


def show_by_slug(
    read_session: ProjectReadSession, reader: Identity | None, username: str, slug: str, now: datetime
) -> ProjectView:
    """Return the project that has the slug, or else the one that had it before.

    Raises ProjectNotFound, also if there is no such user, or AccountGone.
    """
    with read_session:
        reader_id = _user_id(read_session, reader)
        if not is_well_formed_slug(slug):
            raise ProjectNotFound()
        try:
            user_id = find_user_id(read_session.user_ids, username)
        except UserNotFound:
            raise ProjectNotFound() from None
        projects = read_session.project_views
        project = projects.get_by_slug(user_id, slug) or projects.get_by_old_slug(user_id, slug)
        return check_visible(project, reader_id, now)


def list_of_user(
    read_session: ProjectReadSession,
    reader: Identity | None,
    username: str,
    list_query: ListQuery,
    *,
    visibility: VisibilityFilter = VisibilityFilter.PUBLISHED,
    now: datetime,
) -> ResultPage:
    """Return a page of the projects that the reader may see. Raises UserNotFound or AccountGone."""
    with read_session:
        if reader is None and visibility is VisibilityFilter.PUBLISHED and is_well_formed_username(username):
            # The most frequent request takes one query.
            selection = Selection(visibility=visibility, now=now)
            page = read_session.project_views.list_by_username(username, list_query, selection)
            if page is not None:
                return page
        reader_id = _user_id(read_session, reader)
        user_id = find_user_id(read_session.user_ids, username)
        visible = visible_to(visibility, owner=user_id == reader_id)
        if visible is None:
            return EMPTY_PAGE
        selection = Selection(visibility=visible, now=now)
        return read_session.project_views.list_of_user(user_id, list_query, selection)


def _user_id(read_session: ProjectReadSession, reader: Identity | None) -> int | None:
    return None if reader is None else find_own_user_id(read_session.user_ids, reader)
