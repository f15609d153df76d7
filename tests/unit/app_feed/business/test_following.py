from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_feed.business.errors import CursorGone, InvalidCursor
from talelio_backend.app_feed.business.following import CURSOR_LIFE, REMOVAL_LIFE, ChangePage, Cursor, follow
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


def test_an_empty_log_returns_a_cursor(uow: FakeUnitOfWork, owner: Account) -> None:
    page = follow(uow, None, 10, NOW)
    project = published(uow, owner)

    assert (page.changes, page.has_more) == ([], False)
    assert told(follow(uow, str(page.next), 10, NOW)) == [(project.id, False)]


def test_following_cursors_reaches_the_end(uow: FakeUnitOfWork, owner: Account) -> None:
    projects = [published(uow, owner) for _ in range(5)]
    page = follow(uow, None, 2, NOW)
    ids = [change.project_id for change in page.changes]
    while page.has_more:
        page = follow(uow, str(page.next), 2, NOW)
        ids += [change.project_id for change in page.changes]

    assert ids == [project.id for project in projects]
    assert follow(uow, str(page.next), 2, NOW).next == page.next


def test_a_removal_between_two_pages_is_reported(uow: FakeUnitOfWork, owner: Account) -> None:
    first, second, third = (published(uow, owner) for _ in range(3))
    page = follow(uow, None, 1, NOW)
    removed(uow, first)
    removed(uow, second)

    rest = follow(uow, str(page.next), 10, NOW)

    assert told(rest) == [(third.id, False), (first.id, True), (second.id, True)]


def test_a_scheduled_project_is_reported_from_its_time_on(uow: FakeUnitOfWork, owner: Account) -> None:
    project = published(uow, owner, at=NOW + DAY)
    before = follow(uow, None, 10, NOW)
    after = follow(uow, str(before.next), 10, NOW + DAY)

    assert (told(before), told(after)) == ([], [(project.id, False)])


def test_a_cursor_in_use_does_not_expire(uow: FakeUnitOfWork, owner: Account) -> None:
    cursor = str(follow(uow, None, 10, NOW).next)
    for number in range(5):
        cursor = str(follow(uow, cursor, 10, NOW + number * CURSOR_LIFE).next)

    assert told(follow(uow, cursor, 10, NOW + 5 * CURSOR_LIFE)) == []
    with pytest.raises(CursorGone):
        follow(uow, cursor, 10, NOW + 5 * CURSOR_LIFE + DAY)
    project = published(uow, owner)
    assert told(follow(uow, None, 10, NOW + 9 * CURSOR_LIFE)) == [(project.id, False)]


def test_a_cursor_is_not_renewed_before_the_last_page(uow: FakeUnitOfWork, owner: Account) -> None:
    for _ in range(3):
        published(uow, owner)
    cursor = str(follow(uow, None, 1, NOW).next)
    cursor = str(follow(uow, cursor, 1, NOW + CURSOR_LIFE).next)

    with pytest.raises(CursorGone):
        follow(uow, cursor, 1, NOW + CURSOR_LIFE + DAY)


def test_cursors_expire_before_the_removals_they_need(uow: FakeUnitOfWork, owner: Account) -> None:
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


def test_invalid_cursors_are_refused(uow: FakeUnitOfWork) -> None:
    with pytest.raises(InvalidCursor):
        follow(uow, '42', 10, NOW)
