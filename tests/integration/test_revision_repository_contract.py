"""What the port of the revision repository promises, shown on the real one and on the fake."""
from datetime import datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.business.domain.revision import Revision
from talelio_backend.shared.business.pagination import PageRequest
from tests.support.backings import Backing, committed_account
from tests.support.samples import NOW, new_project

DAY = timedelta(days=1)


@pytest.fixture(name='owner')
def fixture_owner(backing: Backing) -> Account:
    return committed_account(backing)


def committed_project(backing: Backing, owner: Account) -> Project:
    project = new_project(owner.user.id)
    with backing.unit_of_work() as uow:
        uow.projects.add(project)
        uow.commit()
    return project


@pytest.fixture(name='project')
def fixture_project(backing: Backing, owner: Account) -> Project:
    return committed_project(backing, owner)


def keep(
    backing: Backing,
    project: Project,
    *,
    body: str = 'body',
    summary: str | None = None,
    created_at: datetime = NOW
) -> None:
    with backing.unit_of_work() as uow:
        revision = Revision(
            project_id=project.id, created_at=created_at, title='Title', body=body, summary=summary
        )
        revision.number = uow.revisions.next_number(project.id)
        uow.revisions.add(revision)
        uow.commit()


def numbers(backing: Backing,
            project: Project,
            *,
            limit: int = 10,
            before: int | None = None) -> tuple[list[int], int | None]:
    with backing.unit_of_work() as uow:
        page = uow.revisions.page_of_project(project.id, PageRequest(limit=limit, before=before))
    return [entry.number for entry in page.items], page.next_before


def prune(backing: Backing, project: Project, keep_: int, always_keep: int, older_than: datetime) -> None:
    with backing.unit_of_work() as uow:
        uow.revisions.prune(project.id, keep=keep_, always_keep=always_keep, older_than=older_than)
        uow.commit()


def test_every_field_comes_back_as_it_was(backing: Backing, project: Project) -> None:
    keep(backing, project, body='  ä\r\n', summary='Sum & mary')
    keep(backing, project)

    with backing.unit_of_work() as uow:
        first, second = uow.revisions.get((project.id, 1)), uow.revisions.get((project.id, 2))
        assert first is not None and second is not None
        assert (first.project_id, first.number, first.created_at) == (project.id, 1, NOW)
        assert (first.title, first.body, first.summary) == ('Title', '  ä\r\n', 'Sum & mary')
        assert (second.number, second.summary) == (2, None)
        assert uow.revisions.get((project.id, 3)) is None


def test_numbers_grow_in_each_project_by_itself(backing: Backing, owner: Account, project: Project) -> None:
    other = committed_project(backing, owner)
    for of_project in (project, project, other):
        keep(backing, of_project)

    assert numbers(backing, project) == ([2, 1], None)
    assert numbers(backing, other) == ([1], None)


def test_a_list_has_sizes_in_bytes_and_pages(backing: Backing, project: Project) -> None:
    assert numbers(backing, project) == ([], None)
    for body in ('', 'äö', 'x'):
        keep(backing, project, body=body)

    with backing.unit_of_work() as uow:
        page = uow.revisions.page_of_project(project.id, PageRequest(limit=10))
    assert [(entry.title, entry.created_at, entry.size) for entry in page.items] == [
        ('Title', NOW, 1),
        ('Title', NOW, 4),
        ('Title', NOW, 0),
    ]
    assert numbers(backing, project, limit=2) == ([3, 2], 2)
    assert numbers(backing, project, limit=2, before=2) == ([1], None)
    assert numbers(backing, project, limit=3) == ([3, 2, 1], None)


def test_what_is_kept_is_bounded_in_number(backing: Backing, owner: Account, project: Project) -> None:
    other = committed_project(backing, owner)
    for _ in range(4):
        keep(backing, project)
        keep(backing, other)

    prune(backing, project, 4, 1, NOW)
    assert numbers(backing, project) == ([4, 3, 2, 1], None)
    prune(backing, project, 3, 1, NOW)
    assert numbers(backing, project) == ([4, 3, 2], None)
    keep(backing, project)

    assert numbers(backing, project) == ([5, 4, 3, 2], None)
    assert numbers(backing, other) == ([4, 3, 2, 1], None)


def test_old_ones_go_but_for_the_newest(backing: Backing, project: Project) -> None:
    for days in (4, 0, 3, 4, 4):
        keep(backing, project, created_at=NOW - days * DAY)

    prune(backing, project, 9, 2, NOW - 3 * DAY)

    assert numbers(backing, project) == ([5, 4, 3, 2], None)


def test_a_removed_project_takes_them_along(backing: Backing, owner: Account, project: Project) -> None:
    other = committed_project(backing, owner)
    keep(backing, project)
    keep(backing, other)

    with backing.unit_of_work() as uow:
        found = uow.projects.get_for_update(project.id)
        assert found is not None
        uow.projects.delete(found)
        uow.commit()

    assert numbers(backing, project) == ([], None)
    assert numbers(backing, other) == ([1], None)


def test_a_removed_account_takes_them_along(backing: Backing, owner: Account, project: Project) -> None:
    keep(backing, project)

    backing.delete_account(owner.id)

    assert numbers(backing, project) == ([], None)
