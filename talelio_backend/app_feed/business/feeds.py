"""Feeds and sitemaps of public projects."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.ports import ImageRepository
from talelio_backend.app_feed.business.errors import FeedNotFound, NothingPublished
from talelio_backend.app_feed.business.ports import FeedUnitOfWork, Page
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_user.business.errors import UserNotFound
from talelio_backend.app_user.business.services import find_user
from talelio_backend.app_user.business.user import User

# The maximum number of projects in a feed.
FEED_LENGTH = 20
# The maximum number of pages by https://www.sitemaps.org/protocol.html.
SITEMAP_LENGTH = 50_000

# Returns the key of a stored image for its URL.
KeyOf = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A cover that is a stored image."""

    url: str
    media_type: str
    # In bytes.
    size: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    project: Project
    published_at: datetime
    changed_at: datetime
    cover: Cover | None


@dataclass(frozen=True, kw_only=True)
class Feed:
    user: User
    # The most recently published come first.
    entries: Sequence[Entry]
    # When a project was last added, changed or removed.
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Sitemap:
    # Usernames, and the latest change of their public projects, if any.
    users: Sequence[tuple[str, datetime | None]]
    pages: Sequence[Page]
    changed_at: datetime


def feed_of_user(uow: FeedUnitOfWork, key_of: KeyOf, username: str, now: datetime) -> Feed:
    """Raises FeedNotFound."""
    with uow:
        user = _find_user(uow, username)
        changed_at = uow.changes.changed_at(user.id)
        projects = uow.public_projects.newest(user.id, now, FEED_LENGTH)
        entries = [_entry(project, uow.images, key_of) for project in projects]
    return Feed(
        user=user,
        entries=entries,
        changed_at=_latest(user, changed_at, *(entry.changed_at for entry in entries)),
    )


def sitemap_of_user(uow: FeedUnitOfWork, username: str, now: datetime) -> Sitemap:
    """Raises FeedNotFound."""
    with uow:
        user = _find_user(uow, username)
        changed_at = uow.changes.changed_at(user.id)
        pages = uow.public_projects.pages(user.id, now, SITEMAP_LENGTH - 1)
    newest = max((page.changed_at for page in pages), default=None)
    return Sitemap(
        users=[(user.username, newest)],
        pages=pages,
        changed_at=_latest(user, changed_at, newest),
    )


def sitemap(uow: FeedUnitOfWork, now: datetime) -> Sitemap:
    """Return the sitemap of all users. Raises NothingPublished."""
    with uow:
        changed_at = uow.changes.changed_at(None)
        pages = uow.public_projects.pages(None, now, SITEMAP_LENGTH)
    if not pages:
        raise NothingPublished()
    users: dict[str, datetime] = {}
    for page in pages:
        users[page.username] = max(page.changed_at, users.get(page.username, page.changed_at))
    newest = max(users.values())
    return Sitemap(
        users=list(users.items()),
        pages=pages[:SITEMAP_LENGTH - len(users)],
        changed_at=newest if changed_at is None else max(newest, changed_at),
    )


def _latest(user: User, *times: datetime | None) -> datetime:
    return max(time for time in (user.created_at, user.updated_at, *times) if time is not None)


def _find_user(uow: FeedUnitOfWork, username: str) -> User:
    try:
        return find_user(uow.users, username)
    except UserNotFound:
        # UserNotFound is a 400, which the API promises elsewhere; feed readers understand a 404.
        raise FeedNotFound(username) from None


def _entry(project: Project, images: ImageRepository, key_of: KeyOf) -> Entry:
    published_at = project.published_at or project.created_at
    return Entry(
        project=project,
        published_at=published_at,
        changed_at=max(published_at, project.updated_at or published_at),
        cover=_cover(project.cover_image, images, key_of),
    )


def _cover(url: str | None, images: ImageRepository, key_of: KeyOf) -> Cover | None:
    """Return None unless the URL is that of a stored image: the size of a variant is unknown."""
    if url is None or (key := key_of(url)) is None or (name := parse_key(key)) is None:
        return None
    found = [image for image in images.with_names([name]) if image.key == key]
    return Cover(url=url, media_type=found[0].kind.value, size=found[0].size) if found else None
