from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.app_asset.business.ports import ImageRepository
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_user.business.ports import UserRepository
from talelio_backend.shared.business.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Change:
    """The newest that is to be told of a project."""

    # Later ones have greater numbers, without regard to whose project it is.
    number: int
    project_id: int
    # As it is now; None when it is no longer public.
    project: Project | None


@dataclass(frozen=True, kw_only=True)
class ChangeStretch:
    changes: Sequence[Change]
    has_more: bool


class ChangeLog(Protocol):
    """What became public, was changed or removed. It is written with every project, by itself."""

    def history(self) -> str:
        """Eight hexadecimal digits, others when the database was put back to an earlier state."""

    def settle(self, now: datetime, *, forget_before: datetime) -> bool:
        """Enter what became public by its time alone, and forget removals from before a time.

        Return whether there was anything to do; it may be only a part of what is due.
        """

    def after(self, number: int, limit: int) -> ChangeStretch:
        """Return changes with greater numbers, by number. May be fewer, so that they fit into memory."""

    def changed_at(self, user_id: int | None) -> datetime | None:
        """When the last change was entered, of one user's projects or of everybody's."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Of the site, about a project."""

    username: str
    project_id: int
    slug: str
    changed_at: datetime


class PublicProjects(Protocol):

    def newest(self, user_id: int, now: datetime, limit: int) -> Sequence[Project]:
        """Those that became public last come first. May be fewer, so that they fit into memory."""

    def pages(self, user_id: int | None, now: datetime, limit: int) -> Sequence[Page]:
        """Of one user's projects or of everybody's; those that became public last come first."""


class ChangeUnitOfWork(UnitOfWork, Protocol):

    @property
    def changes(self) -> ChangeLog:
        ...


class FeedUnitOfWork(ChangeUnitOfWork, Protocol):

    @property
    def public_projects(self) -> PublicProjects:
        ...

    @property
    def users(self) -> UserRepository:
        ...

    @property
    def images(self) -> ImageRepository:
        ...
