from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.app_asset.business.ports import AssetUnitOfWork
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.shared.business.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Change:
    """The latest change of a project."""

    # Ascending over the projects of all users.
    number: int
    project_id: int
    # Its current state; None if it is no longer public.
    project: Project | None


@dataclass(frozen=True, kw_only=True)
class ChangeBatch:
    changes: Sequence[Change]
    has_more: bool


class ChangeLog(Protocol):
    """Records the projects that became public, changed or were removed. A database trigger writes it."""

    def history(self) -> str:
        """Return eight hexadecimal digits that change when the database is restored to an earlier state."""

    def settle(self, now: datetime, *, purge_before: datetime) -> bool:
        """Record scheduled projects that have become public, and purge old removals.

        May handle only a part of them. Return whether it changed anything.
        """

    def after(self, number: int, limit: int) -> ChangeBatch:
        """Return changes with greater numbers, in order. May return fewer than the limit to bound memory."""

    def changed_at(self, user_id: int | None) -> datetime | None:
        """Return when the last change was recorded, for one user or for all."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page of a project on the site."""

    username: str
    project_id: int
    slug: str
    changed_at: datetime


class PublicProjects(Protocol):

    def newest(self, user_id: int, now: datetime, limit: int) -> Sequence[Project]:
        """Return the most recently published first. May return fewer than the limit to bound memory."""

    def pages(self, user_id: int | None, now: datetime, limit: int) -> Sequence[Page]:
        """Return the pages of one user or of all, the most recently published first."""


class ChangeUnitOfWork(UnitOfWork, Protocol):

    @property
    def changes(self) -> ChangeLog:
        ...


class FeedUnitOfWork(ChangeUnitOfWork, AssetUnitOfWork, Protocol):

    @property
    def public_projects(self) -> PublicProjects:
        ...
