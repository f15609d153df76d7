from datetime import datetime

from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_project.business.project import Project, check_body, check_title
from talelio_backend.app_user.business.services import find_own_user, find_user
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.page import Page, PageRequest


def publish(
    uow: ProjectUnitOfWork,
    renderer: MarkdownRenderer,
    author: Identity,
    *,
    title: str,
    body: str,
    now: datetime,
) -> Project:
    """Raises Invalid, AccountGone, and what the renderer raises."""
    check_title(title)
    check_body(body)
    with uow:
        user = find_own_user(uow.users, author)
    # Between the transactions: no connection is held while the text is rendered.
    html = renderer.render(body)
    project = Project(user_id=user.id, created_at=now, title=title, body=body, html=html)
    with uow:
        uow.projects.add(project)
        uow.commit(project)
    return project


def list_of_user(uow: ProjectUnitOfWork, username: str, page: PageRequest) -> Page[Project]:
    """Return a page of the user's projects, newest first. Raises UserNotFound."""
    with uow:
        user = find_user(uow.users, username)
        return uow.projects.page_of_user(user.id, page)
