from typing import Protocol

from talelio_backend.app_project.business.project import Project
from talelio_backend.app_user.business.ports import UserRepository
from talelio_backend.shared.business.page import Page, PageRequest
from talelio_backend.shared.business.unit_of_work import UnitOfWork


class ProjectRepository(Protocol):

    def add(self, project: Project) -> None:
        """Raises AccountGone."""

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Project]:
        """Newest first. A page may be shorter than asked for, so that it fits into memory."""


class ProjectUnitOfWork(UnitOfWork, Protocol):

    @property
    def projects(self) -> ProjectRepository:
        ...

    @property
    def users(self) -> UserRepository:
        ...


class MarkdownRenderer(Protocol):

    def render(self, markdown: str) -> str:
        """Return HTML that is safe to put into a page as it is.

        Raises TooExpensiveToRender when the text is over the bound in time, memory or output,
        NotRenderable when it runs into a fault of the renderer, Unavailable when too many texts wait.
        """
