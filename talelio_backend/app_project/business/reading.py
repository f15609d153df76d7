from datetime import datetime

from talelio_backend.app_project.business.errors import ProjectNotFound
from talelio_backend.app_project.business.listing import NOTHING, Listed, Listing
from talelio_backend.app_project.business.ports import ProjectUnitOfWork
from talelio_backend.app_project.business.project import Project
from talelio_backend.app_project.business.slug import could_be_slug
from talelio_backend.app_project.business.visibility import Selection, Showing, check_seen, seen_by
from talelio_backend.app_user.business.errors import UserNotFound
from talelio_backend.app_user.business.services import find_own_user, find_user
from talelio_backend.shared.business.identity import Identity


def show(uow: ProjectUnitOfWork, reader: Identity | None, project_id: int, now: datetime) -> Project:
    """Raises ProjectNotFound or AccountGone."""
    with uow:
        return check_seen(uow.projects.get(project_id), _user_id(uow, reader), now)


def show_by_slug(
    uow: ProjectUnitOfWork, reader: Identity | None, username: str, slug: str, now: datetime
) -> Project:
    """Return the project that has the slug, or else the one that had it before.

    Raises ProjectNotFound, also for no such user, or AccountGone.
    """
    with uow:
        reader_id = _user_id(uow, reader)
        if not could_be_slug(slug):
            raise ProjectNotFound()
        try:
            user = find_user(uow.users, username)
        except UserNotFound:
            raise ProjectNotFound() from None
        project = uow.projects.get_by_slug(user.id, slug) or uow.projects.get_by_old_slug(user.id, slug)
        return check_seen(project, reader_id, now)


def list_of_user(
    uow: ProjectUnitOfWork,
    reader: Identity | None,
    username: str,
    listing: Listing,
    *,
    showing: Showing = Showing.PUBLISHED,
    now: datetime,
) -> Listed:
    """Return a page of those of the user's projects that the reader may see.

    Raises UserNotFound or AccountGone.
    """
    with uow:
        reader_id = _user_id(uow, reader)
        user = find_user(uow.users, username)
        seen = seen_by(showing, owner=user.id == reader_id)
        if seen is None:
            return NOTHING
        return uow.projects.list_of_user(user.id, listing, Selection(showing=seen, now=now))


def _user_id(uow: ProjectUnitOfWork, reader: Identity | None) -> int | None:
    return None if reader is None else find_own_user(uow.users, reader).id
