from datetime import datetime

from talelio_backend.app_project.business.errors import ProjectNotFound
from talelio_backend.app_project.business.listing import NOTHING, Listed, Listing
from talelio_backend.app_project.business.ports import ProjectReading
from talelio_backend.app_project.business.project import ShownProject
from talelio_backend.app_project.business.slug import could_be_slug
from talelio_backend.app_project.business.visibility import Selection, Showing, check_seen, seen_by
from talelio_backend.app_user.business.errors import UserNotFound
from talelio_backend.app_user.business.services import find_own_user_id, find_user_id
from talelio_backend.app_user.business.user import could_be_username
from talelio_backend.shared.business.identity import Identity


def show(reading: ProjectReading, reader: Identity | None, project_id: int, now: datetime) -> ShownProject:
    """Raises ProjectNotFound or AccountGone."""
    with reading:
        return check_seen(reading.shown_projects.get(project_id), _user_id(reading, reader), now)


def show_by_slug(
    reading: ProjectReading, reader: Identity | None, username: str, slug: str, now: datetime
) -> ShownProject:
    """Return the project that has the slug, or else the one that had it before.

    Raises ProjectNotFound, also for no such user, or AccountGone.
    """
    with reading:
        reader_id = _user_id(reading, reader)
        if not could_be_slug(slug):
            raise ProjectNotFound()
        try:
            user_id = find_user_id(reading.user_ids, username)
        except UserNotFound:
            raise ProjectNotFound() from None
        projects = reading.shown_projects
        project = projects.get_by_slug(user_id, slug) or projects.get_by_old_slug(user_id, slug)
        return check_seen(project, reader_id, now)


def list_of_user(
    reading: ProjectReading,
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
    with reading:
        if reader is None and showing is Showing.PUBLISHED and could_be_username(username):
            # What nearly all ask for.
            selection = Selection(showing=showing, now=now)
            listed = reading.shown_projects.list_at_once(username, listing, selection)
            if listed is not None:
                return listed
        reader_id = _user_id(reading, reader)
        user_id = find_user_id(reading.user_ids, username)
        seen = seen_by(showing, owner=user_id == reader_id)
        if seen is None:
            return NOTHING
        return reading.shown_projects.list_of_user(user_id, listing, Selection(showing=seen, now=now))


def _user_id(reading: ProjectReading, reader: Identity | None) -> int | None:
    return None if reader is None else find_own_user_id(reading.user_ids, reader)
