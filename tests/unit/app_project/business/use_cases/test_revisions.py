from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from talelio_backend.app_project.business.domain.errors import (
    NotYourProject,
    ProjectNotFound,
    RevisionNotFound,
)
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.domain.revision import ALWAYS_KEPT, MAX_AGE, MAX_REVISIONS
from talelio_backend.app_project.business.use_cases import publishing, revisions
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.pagination import PageRequest
from tests.fakes.ports import FakeRenderer
from tests.fakes.unit_of_work import FakeUnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGE = PageRequest(limit=1000)


def own(_url: str) -> bool:
    return True


@pytest.fixture(name='project')
def fixture_project(uow: FakeUnitOfWork, author: Identity) -> Project:
    return publishing.publish(
        uow, FakeRenderer(), own, author, ProjectPatch(title='First', body='ä'), now=NOW
    )


def change(
    uow: FakeUnitOfWork,
    owner: Identity,
    project: Project,
    *,
    now: datetime = NOW + HOUR,
    **values: Any
) -> None:
    publishing.change(uow, FakeRenderer(), own, owner, project.id, ProjectPatch(**values), now=now)


def restore(uow: FakeUnitOfWork, owner: Identity, project: Project, number: int, **more: Any) -> Project:
    return revisions.restore(uow, FakeRenderer(), own, owner, project.id, number, now=NOW + 9 * HOUR, **more)


def numbers(uow: FakeUnitOfWork, owner: Identity, project: Project) -> list[int]:
    page = revisions.list_own(uow, owner, project.id, PAGE, NOW)
    return [entry.number for entry in page.items]


def test_unchanged_project_has_no_revisions(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    assert numbers(uow, author, project) == []


def test_each_change_keeps_a_revision(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    change(uow, author, project, title='Second', summary='Said')
    change(uow, author, project, now=NOW + 2 * HOUR, body='new')

    listed = revisions.list_own(uow, author, project.id, PAGE, NOW)
    assert [(each.number, each.created_at, each.title, each.size) for each in listed.items] == [
        (2, NOW + HOUR, 'Second', 2),
        (1, NOW, 'First', 2),
    ]
    first, second = (revisions.show_own(uow, author, project.id, number, NOW) for number in (1, 2))
    assert (first.title, first.body, first.summary) == ('First', 'ä', None)
    assert (second.title, second.body, second.summary) == ('Second', 'ä', 'Said')


def test_changing_other_fields_keeps_no_revision(
    uow: FakeUnitOfWork, author: Identity, project: Project
) -> None:
    change(uow, author, project, tags=['wood'], slug='other', status=ProjectStatus.DRAFT, position=3)
    change(uow, author, project, title='First', body='ä', summary=None)

    assert numbers(uow, author, project) == []


def test_restore_keeps_a_revision(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    change(uow, author, project, title='Second', body='new', summary='Said', tags=['wood'])

    restored = restore(uow, author, project, 1)

    stored = uow.store.projects[project.id]
    assert (stored.title, stored.body, stored.html, stored.given_summary) == ('First', 'ä', '<p>ä</p>', None)
    assert (stored.tags, stored.updated_at) == (['wood'], NOW + 9 * HOUR)
    assert restored.title == 'First'
    kept = revisions.show_own(uow, author, project.id, 2, NOW)
    assert (kept.title, kept.body, kept.summary) == ('Second', 'new', 'Said')


def test_restoring_the_present_state_changes_nothing(
    uow: FakeUnitOfWork, author: Identity, project: Project
) -> None:
    change(uow, author, project, title='Second')
    change(uow, author, project, title='First')

    restore(uow, author, project, 1)

    assert uow.store.projects[project.id].updated_at == NOW + HOUR
    assert numbers(uow, author, project) == [2, 1]


class Refused(Exception):
    pass


def refuse(_project: Project) -> None:
    raise Refused


def test_failed_precondition_prevents_the_restore(
    uow: FakeUnitOfWork, author: Identity, project: Project
) -> None:
    change(uow, author, project, title='Second')

    with pytest.raises(Refused):
        restore(uow, author, project, 1, precondition=refuse)

    assert uow.store.projects[project.id].title == 'Second'
    assert numbers(uow, author, project) == [1]


def test_number_of_revisions_is_limited(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    for number in range(MAX_REVISIONS + 2):
        change(uow, author, project, title=f'Title {number}')

    assert numbers(uow, author, project) == list(range(MAX_REVISIONS + 2, 2, -1))


def test_old_revisions_are_pruned_except_the_newest(
    uow: FakeUnitOfWork, author: Identity, project: Project
) -> None:
    for number in range(ALWAYS_KEPT + 2):
        change(uow, author, project, title=f'Title {number}')
    change(uow, author, project, now=NOW + MAX_AGE + 2 * HOUR, title='Much later')

    assert numbers(uow, author, project) == list(range(ALWAYS_KEPT + 3, 3, -1))


def test_others_cannot_access_revisions(
    uow: FakeUnitOfWork, author: Identity, other: Identity, project: Project
) -> None:
    change(uow, author, project, title='Second')
    for status, refusal in ((ProjectStatus.PUBLISHED, NotYourProject), (ProjectStatus.DRAFT,
                                                                        ProjectNotFound)):
        change(uow, author, project, status=status)
        for stranger, error in ((other, refusal), (Identity(99), AccountGone)):
            with pytest.raises(error):
                revisions.list_own(uow, stranger, project.id, PAGE, NOW + HOUR)
            with pytest.raises(error):
                revisions.show_own(uow, stranger, project.id, 1, NOW + HOUR)
            with pytest.raises(error):
                restore(uow, stranger, project, 1)
    assert uow.store.projects[project.id].title == 'Second'


def test_unknown_revision_is_not_found(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    with pytest.raises(RevisionNotFound, match='There is no revision 1 of this project'):
        revisions.show_own(uow, author, project.id, 1, NOW)
    with pytest.raises(RevisionNotFound):
        restore(uow, author, project, 1)
    with pytest.raises(ProjectNotFound):
        revisions.list_own(uow, author, 99, PAGE, NOW)


def test_delete_removes_revisions(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    change(uow, author, project, title='Second')

    publishing.delete(uow, author, project.id, now=NOW)

    assert not uow.store.revisions


def test_restore_includes_the_summary(uow: FakeUnitOfWork, author: Identity, project: Project) -> None:
    change(uow, author, project, summary='Said')
    change(uow, author, project, now=NOW + 2 * HOUR, summary=None)

    assert restore(uow, author, project, 2).given_summary == 'Said'
