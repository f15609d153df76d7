from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_feed.business.cursor import Cursor
from talelio_backend.app_feed.business.errors import CursorGone, InvalidCursor
from talelio_backend.app_feed.business.following import CURSOR_LIFE, REMOVAL_LIFE, ChangePage, follow
from talelio_backend.app_project.business.domain.project import Project
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import new_account, new_project

PAST = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(name='uow')
def fixture_uow() -> FakeUnitOfWork:
    return FakeUnitOfWork()


@pytest.fixture(name='owner')
def fixture_owner(uow: FakeUnitOfWork) -> Account:
    account = new_account()
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return account


def published(uow: FakeUnitOfWork, owner: Account, *, at: datetime = PAST) -> Project:
    project = new_project(owner.user.id, now=at)
    with uow:
        uow.projects.add(project)
        uow.commit()
    return project


def removed(uow: FakeUnitOfWork, project: Project) -> None:
    with uow:
        found = uow.projects.get(project.id)
        assert found is not None
        uow.projects.delete(found)
        uow.commit()


def told(page: ChangePage) -> list[tuple[int, bool]]:
    return [(change.project_id, change.project is None) for change in page.changes]


def test_where_nothing_is_there_is_a_cursor_to_go_on_from(uow: FakeUnitOfWork, owner: Account) -> None:
    page = follow(uow, None, 10, NOW)
    project = published(uow, owner)

    assert (page.changes, page.has_more) == ([], False)
    assert told(follow(uow, str(page.next), 10, NOW)) == [(project.id, False)]


def test_page_after_page_leads_to_the_end(uow: FakeUnitOfWork, owner: Account) -> None:
    projects = [published(uow, owner) for _ in range(5)]
    page = follow(uow, None, 2, NOW)
    ids = [change.project_id for change in page.changes]
    while page.has_more:
        page = follow(uow, str(page.next), 2, NOW)
        ids += [change.project_id for change in page.changes]

    assert ids == [project.id for project in projects]
    assert follow(uow, str(page.next), 2, NOW).next == page.next


def test_what_is_removed_between_two_pages_is_told(uow: FakeUnitOfWork, owner: Account) -> None:
    first, second, third = (published(uow, owner) for _ in range(3))
    page = follow(uow, None, 1, NOW)
    removed(uow, first)
    removed(uow, second)

    rest = follow(uow, str(page.next), 10, NOW)

    assert told(rest) == [(third.id, False), (first.id, True), (second.id, True)]


def test_what_was_scheduled_is_told_from_its_time_on(uow: FakeUnitOfWork, owner: Account) -> None:
    project = published(uow, owner, at=NOW + DAY)
    before = follow(uow, None, 10, NOW)
    after = follow(uow, str(before.next), 10, NOW + DAY)

    assert (told(before), told(after)) == ([], [(project.id, False)])


def test_a_cursor_lives_as_long_as_it_is_used(uow: FakeUnitOfWork, owner: Account) -> None:
    cursor = str(follow(uow, None, 10, NOW).next)
    for number in range(5):
        cursor = str(follow(uow, cursor, 10, NOW + number * CURSOR_LIFE).next)

    assert told(follow(uow, cursor, 10, NOW + 5 * CURSOR_LIFE)) == []
    with pytest.raises(CursorGone):
        follow(uow, cursor, 10, NOW + 5 * CURSOR_LIFE + DAY)
    project = published(uow, owner)
    assert told(follow(uow, None, 10, NOW + 9 * CURSOR_LIFE)) == [(project.id, False)]


def test_on_the_way_a_cursor_does_not_grow_younger(uow: FakeUnitOfWork, owner: Account) -> None:
    for _ in range(3):
        published(uow, owner)
    cursor = str(follow(uow, None, 1, NOW).next)
    cursor = str(follow(uow, cursor, 1, NOW + CURSOR_LIFE).next)

    with pytest.raises(CursorGone):
        follow(uow, cursor, 1, NOW + CURSOR_LIFE + DAY)


def test_no_cursor_outlives_a_removal_that_it_has_to_be_told(uow: FakeUnitOfWork, owner: Account) -> None:
    project = published(uow, owner)
    cursor = str(follow(uow, None, 10, NOW).next)
    removed(uow, project)

    assert told(follow(uow, cursor, 10, NOW + CURSOR_LIFE)) == [(project.id, True)]
    assert told(follow(uow, None, 10, NOW + REMOVAL_LIFE + DAY)) == []
    with pytest.raises(CursorGone):
        follow(uow, cursor, 10, NOW + REMOVAL_LIFE + DAY)


def test_a_cursor_of_another_history_is_refused(uow: FakeUnitOfWork) -> None:
    cursor = Cursor(history='ffffffff', number=0, complete_on=NOW.date())

    with pytest.raises(CursorGone, match='begin anew'):
        follow(uow, str(cursor), 10, NOW)


def test_what_is_no_cursor_is_refused(uow: FakeUnitOfWork) -> None:
    with pytest.raises(InvalidCursor):
        follow(uow, '42', 10, NOW)
