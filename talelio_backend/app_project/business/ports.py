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
from talelio_backend.shared.business.unit_of_work import ReadSession, UnitOfWork


class ProjectRepository(Protocol):

    def add(self, project: Project) -> None:
        """Raises AccountGone, or SlugTaken."""

    def save(self, project: Project) -> None:
        """Write what was changed. Raises SlugTaken."""

    def delete(self, project: Project) -> None:
        ...

    def get(self, project_id: int) -> Project | None:
        ...

    def get_for_update(self, project_id: int) -> Project | None:
        """As it is now, and nobody else changes it until the transaction ends.

        Leaving the unit of work raises Unavailable when others keep it too long.
        """

    def get_by_slug(self, user_id: int, slug: str) -> Project | None:
        ...

    def lock_slugs(self, user_id: int, slugs: Collection[str]) -> Mapping[str, int]:
        """Let nobody else give or take a slug of the user's projects, until the transaction ends.

        Return the ids of those projects that have, or had, one of `slugs`, by slug.
        """

    def retire_slug(self, project: Project, now: datetime) -> None:
        """Keep the project's slug as an old one. Of very many, the oldest are forgotten."""

    def revive_slug(self, user_id: int, slug: str) -> None:
        """Have it be nobody's old slug any more."""

    def ids_rendered_before(self, rendering: int, after: int, limit: int) -> Sequence[int]:
        """Return ids above `after`, ascending, of projects that were rendered under a smaller number."""


class ProjectViews(Protocol):
    """Projects, for those who only read them."""

    def get(self, project_id: int) -> ProjectView | None:
        ...

    def get_by_slug(self, user_id: int, slug: str) -> ProjectView | None:
        ...

    def get_by_old_slug(self, user_id: int, slug: str) -> ProjectView | None:
        """Return the project that had it before."""

    def list_of_user(self, user_id: int, listing: ListQuery, selection: Selection) -> ResultPage:
        """A page may be shorter than asked for, so that it fits into memory."""

    def list_at_once(self, username: str, listing: ListQuery, selection: Selection) -> ResultPage | None:
        """Return the same without a question for the user's id; None where it takes one.

        It does, among others, where there is nothing, for then nobody may have the name.
        """


class RevisionRepository(Protocol):

    def next_number(self, project_id: int) -> int:
        """Nobody else may be given it: the project is locked."""

    def add(self, revision: Revision) -> None:
        ...

    def get(self, id_: tuple[int, int]) -> Revision | None:
        ...

    def page_of_project(self, project_id: int, page: PageRequest) -> Page[RevisionEntry]:
        """The newest first, by number."""

    def prune(self, project_id: int, *, keep: int, always_keep: int, older_than: datetime) -> None:
        """Leave the newest `keep`, and of them, beyond the newest `always_keep`, no older one."""


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

    def render(self, markdown: str) -> Rendered:
        """Return HTML that is safe to put into a page as it is, and what a page says of it.

        Raises TooExpensiveToRender when the text is over the bound in time, memory or output,
        NotRenderable when it runs into a fault of the renderer, Unavailable when too many texts wait.
        """


class Picture(Protocol):
    """What is known of a picture that was uploaded here."""

    @property
    def width(self) -> int:
        """In pixels, as `height`."""

    @property
    def height(self) -> int:
        ...

    @property
    def sources(self) -> Sequence[tuple[str, int]]:
        """The addresses of the same picture, itself included, and their widths; the narrowest first."""


# Of addresses, those of pictures that were uploaded here. Raises Unavailable.
FindPictures = Callable[[Collection[str]], Mapping[str, Picture]]
