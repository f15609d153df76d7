"""Listing and restoring the revisions of a project. Only its owner sees them."""
from collections.abc import Callable
from datetime import datetime

from talelio_backend.app_project.business.domain.errors import RevisionNotFound
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.domain.revision import Revision, RevisionEntry
from talelio_backend.app_project.business.domain.visibility import check_owned
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_project.business.use_cases import publishing
from talelio_backend.app_user.business.services import find_own_user_id
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.pagination import Page, PageRequest


def list_own(uow: ProjectUnitOfWork, owner: Identity, project_id: int, page: PageRequest,
             now: datetime) -> Page[RevisionEntry]:
    """List the newest first. Raises ProjectNotFound, NotYourProject or AccountGone."""
    with uow:
        _get_owned(uow, owner, project_id, now)
        return uow.revisions.page_of_project(project_id, page)


def show_own(
    uow: ProjectUnitOfWork, owner: Identity, project_id: int, number: int, now: datetime
) -> Revision:
    """Raises RevisionNotFound, ProjectNotFound, NotYourProject or AccountGone."""
    with uow:
        _get_owned(uow, owner, project_id, now)
        revision = uow.revisions.get((project_id, number))
        if revision is None:
            raise RevisionNotFound(number)
        return revision


def restore(
    uow: ProjectUnitOfWork,
    renderer: MarkdownRenderer,
    is_own_image: Callable[[str], bool],
    owner: Identity,
    project_id: int,
    number: int,
    *,
    now: datetime,
    precondition: publishing.Precondition | None = None,
) -> Project:
    """Change the project back, which keeps its present texts as a revision too.

    Raises RevisionNotFound, and the errors of `publishing.change`.
    """

    revision = show_own(uow, owner, project_id, number, now)
    patch = ProjectPatch(title=revision.title, body=revision.body, summary=revision.summary)
    return publishing.change(
        uow, renderer, is_own_image, owner, project_id, patch, now=now, precondition=precondition
    )


def _get_owned(uow: ProjectUnitOfWork, owner: Identity, project_id: int, now: datetime) -> Project:
    user_id = find_own_user_id(uow.user_ids, owner)
    return check_owned(uow.projects.get(project_id), user_id, now)
