"""What is public, for feed readers and search engines."""
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

# Projects in a feed.
FEED_LENGTH = 20
# Of pages, as https://www.sitemaps.org/protocol.html has it.
SITEMAP_LENGTH = 50_000

# The key of a stored picture, by its URL.
KeyOf = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A picture that was uploaded here."""

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
    # Those that became public last come first.
    entries: Sequence[Entry]
    # When anything was last added, changed or removed.
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Sitemap:
    # The pages of users, with the newest change of a project of theirs, if any.
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
    times = [user.created_at, user.updated_at, changed_at, *(entry.changed_at for entry in entries)]
    return Feed(user=user, entries=entries, changed_at=max(time for time in times if time is not None))


def sitemap_of_user(uow: FeedUnitOfWork, username: str, now: datetime) -> Sitemap:
    """Raises FeedNotFound."""
    with uow:
        user = _find_user(uow, username)
        changed_at = uow.changes.changed_at(user.id)
        pages = uow.public_projects.pages(user.id, now, SITEMAP_LENGTH - 1)
    newest = max((page.changed_at for page in pages), default=None)
    times = [user.created_at, user.updated_at, changed_at, newest]
    return Sitemap(
        users=[(user.username, newest)],
        pages=pages,
        changed_at=max(time for time in times if time is not None),
    )


def sitemap(uow: FeedUnitOfWork, now: datetime) -> Sitemap:
    """Of everybody. Raises NothingPublished."""
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


def _find_user(uow: FeedUnitOfWork, username: str) -> User:
    try:
        return find_user(uow.users, username)
    except UserNotFound:
        # Its 400 is a promise of other paths; what reads feeds understands a 404.
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
    """Of the project's, if its size is known: it is a picture of ours, and not a variant of one."""
    key = None if url is None else key_of(url)
    parsed = None if key is None else parse_key(key)
    if url is None or parsed is None:
        return None
    image = next(iter(images.with_names([parsed])), None)
    if image is None or image.key != key:
        return None
    return Cover(url=url, media_type=image.kind.value, size=image.size)
