"""Publishing, changing and deleting projects.

Texts are rendered outside of transactions. A change locks the row and writes only the fields that it names,
and `html` only together with its `body`. Concurrent changes therefore do not overwrite each other's fields;
for the same field, the last one wins. A precondition detects such conflicts.
"""
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from operator import attrgetter

from talelio_backend.app_project.business.domain.errors import SlugTaken
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import UNSET, ProjectPatch
from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.business.domain.revision import ALWAYS_KEPT, MAX_AGE, MAX_REVISIONS, Revision
from talelio_backend.app_project.business.domain.slug import candidates
from talelio_backend.app_project.business.domain.visibility import check_owned
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_user.business.services import find_own_user_id
from talelio_backend.shared.business.identity import Identity

# How many slugs to look up at once. One of the first is nearly always free.
_CANDIDATES = 4

# Called with the project before any change. It raises an error to prevent the change.
Precondition = Callable[[Project], None]

_fields_of = attrgetter(
    'title', 'body', 'html', 'given_summary', 'excerpt', 'status', 'published_at', 'tags', 'cover_image',
    'position', 'toc', 'words'
)


def publish(
    uow: ProjectUnitOfWork,
    renderer: MarkdownRenderer,
    is_own_image: Callable[[str], bool],
    author: Identity,
    patch: ProjectPatch,
    *,
    now: datetime,
) -> Project:
    """The patch must have a title and a body.

    Raises InvalidValue, AccountGone, SlugTaken, and the renderer's errors.
    """
    patch = patch.checked(is_own_image)
    assert patch.title is not UNSET and patch.body is not UNSET
    # Before the transaction, so that no connection is held during rendering.
    rendered = renderer.render(patch.body, author.account_id)
    with uow:
        user_id = find_own_user_id(uow.user_ids, author)
        project = Project(
            user_id=user_id, created_at=now, title=patch.title, body=patch.body, slug='', html=''
        )
        _apply(project, patch, now, rendered)
        project.slug = _reserve_slug(uow, project, patch.slug, project_id=None)
        if project.slug == patch.slug:
            # It may have been another project's old slug. A derived slug never is.
            uow.projects.revive_slug(user_id, project.slug)
        uow.projects.add(project)
        uow.commit(project)
    return project


def change(
    uow: ProjectUnitOfWork,
    renderer: MarkdownRenderer,
    is_own_image: Callable[[str], bool],
    owner: Identity,
    project_id: int,
    patch: ProjectPatch,
    *,
    now: datetime,
    precondition: Precondition | None = None,
) -> Project:
    """Apply the patch, and keep the previous texts as a revision.

    A patch that changes nothing leaves `updated_at` alone. The precondition is checked twice: before
    rendering, and with the row locked. Raises InvalidValue, ProjectNotFound, NotYourProject, AccountGone,
    SlugTaken, and the renderer's errors.
    """
    patch = patch.checked(is_own_image)
    with uow:
        user_id = find_own_user_id(uow.user_ids, owner)
        _check_precondition(precondition, check_owned(uow.projects.get(project_id), user_id, now))
    rendered = None if patch.body is UNSET else renderer.render(patch.body, owner.account_id)
    with uow:
        project = check_owned(uow.projects.get_for_update(project_id), user_id, now)
        _check_precondition(precondition, project)
        before = Revision.of(project)
        changed = _apply(project, patch, now, rendered)
        if patch.slug is not UNSET:
            changed |= _change_slug(uow, project, patch.slug, now)
        if changed:
            project.updated_at = now
            uow.projects.save(project)
            _save_revision(uow, before, project, now)
        uow.commit(project)
    return project


def delete(
    uow: ProjectUnitOfWork,
    owner: Identity,
    project_id: int,
    *,
    now: datetime,
    precondition: Precondition | None = None,
) -> None:
    """Raises ProjectNotFound, NotYourProject or AccountGone."""
    with uow:
        user_id = find_own_user_id(uow.user_ids, owner)
        project = check_owned(uow.projects.get_for_update(project_id), user_id, now)
        _check_precondition(precondition, project)
        uow.projects.delete(project)
        uow.commit()


def _save_revision(uow: ProjectUnitOfWork, before: Revision, project: Project, now: datetime) -> None:
    if not before.has_same_content(project):
        before.number = uow.revisions.next_number(project.id)
        uow.revisions.add(before)
        uow.revisions.prune(project.id, keep=MAX_REVISIONS, always_keep=ALWAYS_KEPT, older_than=now - MAX_AGE)


def _check_precondition(precondition: Precondition | None, project: Project) -> None:
    if precondition is not None:
        precondition(project)


def _apply(project: Project, patch: ProjectPatch, now: datetime, rendered: Rendered | None = None) -> bool:
    """Return whether the project changed."""
    before = _fields_of(project)
    for name in ('title', 'body', 'status', 'published_at', 'tags', 'cover_image', 'position'):
        value = getattr(patch, name)
        if value is not UNSET:
            setattr(project, name, value)
    if patch.summary is not UNSET:
        project.given_summary = patch.summary
    if rendered is not None:
        project.set_rendered(rendered)
    if project.status is ProjectStatus.PUBLISHED and project.published_at is None:
        project.published_at = now
    return _fields_of(project) != before


def _change_slug(uow: ProjectUnitOfWork, project: Project, slug: str | None, now: datetime) -> bool:
    new = _reserve_slug(uow, project, slug, project_id=project.id)
    if new == project.slug:
        return False
    # It may be an old slug, of this project or another one.
    uow.projects.revive_slug(project.user_id, new)
    uow.projects.retire_slug(project, now)
    project.slug = new
    return True


def _reserve_slug(uow: ProjectUnitOfWork, project: Project, slug: object, *, project_id: int | None) -> str:
    """Return the requested slug, or a free one for the title, locked until the unit of work ends.

    Raises SlugTaken.
    """
    if isinstance(slug, str):
        if uow.projects.lock_slugs(project.user_id, [slug]).get(slug) not in (None, project_id):
            holder = uow.projects.get_by_slug(project.user_id, slug)
            if holder is not None and holder.id != project_id:
                raise SlugTaken(slug)
        return slug
    slugs = candidates(project.title)
    while True:
        batch = list(islice(slugs, _CANDIDATES))
        holders = uow.projects.lock_slugs(project.user_id, batch)
        for each in batch:
            if holders.get(each) in (None, project_id):
                return each
