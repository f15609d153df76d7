from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from talelio_backend.app_project.business.domain.list_query import ListQuery, ResultPage
from talelio_backend.app_project.business.domain.project import Project, ProjectView
from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.business.domain.revision import Revision, RevisionEntry
from talelio_backend.app_project.business.domain.visibility import Selection
from talelio_backend.app_user.business.ports import UserIds
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.business.repository import Repository
from talelio_backend.shared.business.unit_of_work import ReadSession, UnitOfWork


class ProjectRepository(Repository[Project, int], Protocol):
    """`add` raises AccountGone or SlugTaken, `save` SlugTaken."""

    def get_by_slug(self, user_id: int, slug: str) -> Project | None:
        ...

    def lock_slugs(self, user_id: int, slugs: Collection[str]) -> Mapping[str, int]:
        """Lock all slugs of the user's projects until the transaction ends.

        Return the projects that have or had one of `slugs`: their ids by slug.
        """

    def retire_slug(self, project: Project, now: datetime) -> None:
        """Record the project's slug as an old one, and drop the oldest ones beyond a limit."""

    def revive_slug(self, user_id: int, slug: str) -> None:
        """Remove the slug from the old ones."""

    def ids_rendered_before(self, rendering: int, after: int, limit: int) -> Sequence[int]:
        """Return the ids above `after`, ascending, of projects rendered under a smaller number."""


class ProjectViews(Protocol):

    def get(self, project_id: int) -> ProjectView | None:
        ...

    def get_by_slug(self, user_id: int, slug: str) -> ProjectView | None:
        ...

    def get_by_old_slug(self, user_id: int, slug: str) -> ProjectView | None:
        """Return the project that had the slug before."""

    def list_of_user(self, user_id: int, list_query: ListQuery, selection: Selection) -> ResultPage:
        ...

    def list_by_username(
        self, username: str, list_query: ListQuery, selection: Selection
    ) -> ResultPage | None:
        """Return the same page in one query, or None if the user's id must be looked up first.

        The id is needed for an empty page, among others: the user may not exist.
        """


class RevisionRepository(Repository[Revision, tuple[int, int]], Protocol):

    def next_number(self, project_id: int) -> int:
        """The caller holds the project's lock, so the number is unique."""

    def page_of_project(self, project_id: int, page: PageRequest) -> Page[RevisionEntry]:
        """Return a page of the list, newest first."""

    def prune(self, project_id: int, *, keep: int, always_keep: int, older_than: datetime) -> None:
        """Delete all but the newest `keep`, and what is `older_than` except for the newest `always_keep`."""


class ProjectUnitOfWork(UnitOfWork, Protocol):

    @property
    def projects(self) -> ProjectRepository:
        ...

    @property
    def revisions(self) -> RevisionRepository:
        ...

    @property
    def user_ids(self) -> UserIds:
        ...


class ProjectReadSession(ReadSession, Protocol):

    @property
    def project_views(self) -> ProjectViews:
        ...

    @property
    def user_ids(self) -> UserIds:
        ...


class MarkdownRenderer(Protocol):

    def render(self, markdown: str, account_id: int | None = None) -> Rendered:
        """Return HTML that is safe to embed in a page, and what describes it.

        Accounts take turns. An operator's commands have none.
        Raises TooExpensiveToRender, NotRenderable, or Unavailable if too many texts are waiting.
        """


class Image(Protocol):
    """An uploaded image."""

    @property
    def width(self) -> int:
        """In pixels, as `height`."""

    @property
    def height(self) -> int:
        ...

    @property
    def sources(self) -> Sequence[tuple[str, int]]:
        """The URLs and widths of all variants including the image itself, the narrowest first."""


# Maps those URLs that are uploaded images to them. Raises Unavailable.
FindImages = Callable[[Collection[str]], Mapping[str, Image]]
