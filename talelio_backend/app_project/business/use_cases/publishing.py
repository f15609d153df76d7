"""Making, changing and deleting projects.

A text is rendered between two transactions. A change writes just what it names, into the row as it is
then, under its lock, and `html` always together with the `body` that it was made from: so of two changes
at once neither undoes the other's, and where both name a field, the later one counts. Who wants to be
told instead hands in a precondition.
"""
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

from talelio_backend.app_project.business.domain.errors import SlugTaken
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import UNSET, ProjectPatch
from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.business.domain.revision import ALWAYS_KEPT, KEPT, KEPT_FOR, Revision
from talelio_backend.app_project.business.domain.slug import candidates
from talelio_backend.app_project.business.domain.visibility import check_owned
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_user.business.services import find_own_user_id
from talelio_backend.shared.business.identity import Identity

# Slugs that are made from a title, at a time: one of the first is nearly always free.
_LOOKED_FOR = 4

# Called with the project before anything is changed; what it raises is raised.
Precondition = Callable[[Project], None]


def publish(
    uow: ProjectUnitOfWork,
    renderer: MarkdownRenderer,
    is_own_image: Callable[[str], bool],
    author: Identity,
    given: ProjectPatch,
    *,
    now: datetime,
) -> Project:
    """`given` has a title and a body.

    Raises Invalid, AccountGone, SlugTaken, and what the renderer raises.
    """
    given = given.checked(is_own_image)
    assert given.title is not UNSET and given.body is not UNSET
    # Before the transaction: no connection is held while the text is rendered.
    rendered = renderer.render(given.body)
    with uow:
        user_id = find_own_user_id(uow.user_ids, author)
        project = Project(
            user_id=user_id, created_at=now, title=given.title, body=given.body, slug='', html=''
        )
        _write(project, given, now, rendered)
        project.slug = _take_slug(uow, project, given.slug, project_id=None)
        if project.slug == given.slug:
            # One that was asked for may lead to another project so far; one that was made up is nobody's.
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
    given: ProjectPatch,
    *,
    now: datetime,
    precondition: Precondition | None = None,
) -> Project:
    """Change what is given. What is the same already is no change, and leaves `updated_at` alone.

    What the owner had written before is kept as a revision.

    The precondition is asked twice: before the text is rendered, and with the locked row. Raises Invalid,
    ProjectNotFound, NotYourProject, AccountGone, SlugTaken, and what the renderer raises.
    """
    given = given.checked(is_own_image)
    with uow:
        user_id = find_own_user_id(uow.user_ids, owner)
        _meet(precondition, check_owned(uow.projects.get(project_id), user_id, now))
    rendered = None if given.body is UNSET else renderer.render(given.body)
    with uow:
        project = check_owned(uow.projects.get_for_update(project_id), user_id, now)
        _meet(precondition, project)
        before = Revision.of(project)
        changed = _write(project, given, now, rendered)
        if given.slug is not UNSET:
            changed |= _change_slug(uow, project, given.slug, now)
        if changed:
            project.updated_at = now
            uow.projects.save(project)
            _keep(uow, before, project, now)
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
        _meet(precondition, project)
        uow.projects.delete(project)
        uow.commit()


def _keep(uow: ProjectUnitOfWork, before: Revision, project: Project, now: datetime) -> None:
    """Keep what was written before, if it is something else now, and no more than is wanted."""
    if not before.is_still(project):
        before.number = uow.revisions.next_number(project.id)
        uow.revisions.add(before)
        uow.revisions.prune(project.id, keep=KEPT, always_keep=ALWAYS_KEPT, older_than=now - KEPT_FOR)


def _meet(precondition: Precondition | None, project: Project) -> None:
    if precondition is not None:
        precondition(project)


def _write(project: Project, given: ProjectPatch, now: datetime, rendered: Rendered | None = None) -> bool:
    """Return whether anything is different now."""
    before = _content(project)
    for name in ('title', 'body', 'status', 'published_at', 'tags', 'cover_image', 'position'):
        value = getattr(given, name)
        if value is not UNSET:
            setattr(project, name, value)
    if given.summary is not UNSET:
        project.given_summary = given.summary
    if rendered is not None:
        project.take_rendered(rendered)
    if project.status is ProjectStatus.PUBLISHED and project.published_at is None:
        project.published_at = now
    return _content(project) != before


def _content(project: Project) -> tuple[Any, ...]:
    return (
        project.title, project.body, project.html, project.given_summary, project.excerpt, project.status,
        project.published_at, project.tags, project.cover_image, project.position, project.toc, project.words
    )


def _change_slug(uow: ProjectUnitOfWork, project: Project, slug: str | None, now: datetime) -> bool:
    new = _take_slug(uow, project, slug, project_id=project.id)
    if new == project.slug:
        return False
    # It may lead to another project so far, or be one that this project had before.
    uow.projects.revive_slug(project.user_id, new)
    uow.projects.retire_slug(project, now)
    project.slug = new
    return True


def _take_slug(uow: ProjectUnitOfWork, project: Project, slug: object, *, project_id: int | None) -> str:
    """Return the one that was asked for, or one that is made from the title. Raises SlugTaken.

    Nobody else can take it until the unit of work ends.
    """
    if isinstance(slug, str):
        if uow.projects.lock_slugs(project.user_id, [slug]).get(slug) not in (None, project_id):
            there = uow.projects.get_by_slug(project.user_id, slug)
            if there is not None and there.id != project_id:
                raise SlugTaken(slug)
        return slug
    slugs = candidates(project.title)
    while True:
        possible = list(islice(slugs, _LOOKED_FOR))
        holders = uow.projects.lock_slugs(project.user_id, possible)
        for each in possible:
            if holders.get(each) in (None, project_id):
                return each
