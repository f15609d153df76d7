"""What the port of the change log promises, shown on the real one and on the fake."""
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from tests.support.backings import Backing, committed_account
from tests.support.samples import new_project

# By any clock.
PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Follower:
    """Knows what it was told until now."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._number = 0
        self.news()

    def news(self) -> list[tuple[int, str | None]]:
        """The id and the title of what is new; no title for what was removed."""
        with self._backing.unit_of_work() as uow:
            batch = uow.changes.after(self._number, 100)
        assert not batch.has_more
        numbers = [self._number, *(change.number for change in batch.changes)]
        assert numbers == sorted(set(numbers))
        self._number = numbers[-1]
        return [(change.project_id, None if change.project is None else change.project.title)
                for change in batch.changes]


@pytest.fixture(name='owner')
def fixture_owner(backing: Backing) -> Account:
    return committed_account(backing)


@pytest.fixture(name='follower')
def fixture_follower(backing: Backing) -> Follower:
    return Follower(backing)


def committed(
    backing: Backing,
    owner: Account,
    title: str = 'A',
    *,
    status: ProjectStatus = ProjectStatus.PUBLISHED,
    published_at: datetime | None = PAST,
) -> int:
    project = new_project(owner.user.id, title=title, status=status)
    project.published_at = published_at
    with backing.unit_of_work() as uow:
        uow.projects.add(project)
        uow.commit()
    return project.id


def change(backing: Backing, id_: int, edit: Callable[[Project], object]) -> None:
    with backing.unit_of_work() as uow:
        project = uow.projects.get_for_update(id_)
        assert project is not None
        edit(project)
        uow.projects.save(project)
        uow.commit()


def set_fields(backing: Backing, id_: int, **fields: object) -> None:

    def edit(project: Project) -> None:
        for name, value in fields.items():
            setattr(project, name, value)

    change(backing, id_, edit)


def remove(backing: Backing, id_: int) -> None:
    with backing.unit_of_work() as uow:
        project = uow.projects.get_for_update(id_)
        assert project is not None
        uow.projects.delete(project)
        uow.commit()


def settle(backing: Backing, now: datetime, purge_before: datetime = PAST) -> bool:
    with backing.unit_of_work() as uow:
        settled = uow.changes.settle(now, purge_before=purge_before)
        uow.commit()
    return settled


def test_what_is_published_changed_and_removed_is_told_in_order(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    first, second = committed(backing, owner, 'A'), committed(backing, owner, 'B')
    published = follower.news()
    set_fields(backing, first, title='A2')
    changed = follower.news()
    remove(backing, second)

    assert published == [(first, 'A'), (second, 'B')]
    assert changed == [(first, 'A2')]
    assert follower.news() == [(second, None)]
    assert not follower.news()


def test_of_several_steps_the_newest_state_is_told_once(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    first, second = committed(backing, owner, 'A'), committed(backing, owner, 'B')
    set_fields(backing, first, title='A2')
    set_fields(backing, first, title='A3')
    third = committed(backing, owner, 'C')
    remove(backing, third)

    assert follower.news() == [(second, 'B'), (first, 'A3'), (third, None)]


def test_what_was_rolled_back_is_not_told(backing: Backing, owner: Account, follower: Follower) -> None:
    id_ = committed(backing, owner)
    follower.news()

    with backing.unit_of_work() as uow:
        project = uow.projects.get_for_update(id_)
        assert project is not None
        uow.projects.delete(project)

    assert not follower.news()


def test_a_draft_is_told_of_only_while_it_is_public(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    id_ = committed(backing, owner, status=ProjectStatus.DRAFT, published_at=None)
    set_fields(backing, id_, title='B')
    as_draft = follower.news()
    set_fields(backing, id_, status=ProjectStatus.PUBLISHED, published_at=PAST)
    published = follower.news()
    set_fields(backing, id_, status=ProjectStatus.DRAFT)
    withdrawn = follower.news()
    set_fields(backing, id_, title='C')
    remove(backing, id_)

    assert (as_draft, published, withdrawn) == ([], [(id_, 'B')], [(id_, None)])
    assert not follower.news()


def test_what_is_scheduled_is_told_when_its_time_has_come(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    id_ = committed(backing, owner, published_at=FUTURE)
    set_fields(backing, id_, title='B')
    before = settle(backing, FUTURE - SECOND), follower.news()

    assert settle(backing, FUTURE)

    assert before == (False, [])
    assert follower.news() == [(id_, 'B')]
    assert not settle(backing, FUTURE + SECOND)
    # Whoever has heard of it hears of its end, too, though a clock somewhere may say that it is not public.
    remove(backing, id_)
    assert follower.news() == [(id_, None)]


@pytest.mark.parametrize('ends', [
    lambda backing, id_: set_fields(backing, id_, status=ProjectStatus.DRAFT),
    lambda backing, id_: set_fields(backing, id_, published_at=FUTURE + SECOND),
    remove,
], ids=['withdrawn', 'postponed', 'deleted'])  # yapf: disable
def test_what_is_no_longer_scheduled_for_then_is_never_told(
    backing: Backing, owner: Account, follower: Follower, ends: Callable[[Backing, int], None]
) -> None:
    id_ = committed(backing, owner, published_at=FUTURE)

    ends(backing, id_)

    assert not settle(backing, FUTURE)
    assert not follower.news()


def test_what_is_put_off_is_removed_and_comes_again(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    id_ = committed(backing, owner)
    follower.news()
    set_fields(backing, id_, published_at=FUTURE)
    put_off = follower.news()
    set_fields(backing, id_, title='B')

    assert settle(backing, FUTURE)

    assert put_off == [(id_, None)]
    assert follower.news() == [(id_, 'B')]


def test_with_an_account_all_its_projects_are_removed(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    first = committed(backing, owner)
    committed(backing, owner, status=ProjectStatus.DRAFT)
    committed(backing, owner, published_at=FUTURE)
    second = committed(backing, owner)
    other = committed(backing, committed_account(backing, 'other'))
    follower.news()

    backing.delete_account(owner.id)

    assert sorted(follower.news()) == [(first, None), (second, None)]
    assert not settle(backing, FUTURE)
    with backing.unit_of_work() as uow:
        assert uow.projects.get(other) is not None


def test_a_batch_tells_whether_there_are_more_changes(backing: Backing, owner: Account) -> None:
    follower = Follower(backing)
    with backing.unit_of_work() as uow:
        before = max((change.number for change in uow.changes.after(0, 100).changes), default=0)
    ids = [committed(backing, owner) for _ in range(3)]

    with backing.unit_of_work() as uow:
        two = uow.changes.after(before, 2)
        rest = uow.changes.after(two.changes[-1].number, 2)
        three = uow.changes.after(before, 3)

    assert [each.project_id for each in two.changes] == ids[:2] and two.has_more
    assert [each.project_id for each in rest.changes] == ids[2:] and not rest.has_more
    assert [each.project_id for each in three.changes] == ids and not three.has_more
    assert [id_ for id_, _ in follower.news()] == ids


def test_old_removals_are_forgotten_and_nothing_else(
    backing: Backing, owner: Account, follower: Follower
) -> None:
    kept, scheduled = committed(backing, owner, 'A'), committed(backing, owner, published_at=FUTURE)
    removed, put_off = committed(backing, owner), committed(backing, owner, 'B')
    remove(backing, removed)
    set_fields(backing, put_off, published_at=FUTURE)

    assert not settle(backing, PAST, purge_before=PAST)
    assert settle(backing, PAST, purge_before=FUTURE)

    assert follower.news() == [(kept, 'A'), (put_off, None)]
    assert settle(backing, FUTURE)
    assert sorted(follower.news()) == [(scheduled, 'A'), (put_off, 'B')]


def test_it_tells_when_something_was_last_entered(backing: Backing, owner: Account) -> None:
    other = committed_account(backing, 'other')
    with backing.unit_of_work() as uow:
        assert uow.changes.changed_at(owner.user.id) is None
    began = datetime.now(UTC)
    id_ = committed(backing, owner)
    committed(backing, other, published_at=FUTURE)
    between = datetime.now(UTC)
    remove(backing, id_)

    with backing.unit_of_work() as uow:
        of_owner = uow.changes.changed_at(owner.user.id)
        of_other = uow.changes.changed_at(other.user.id)
        of_all = uow.changes.changed_at(None)
    assert of_owner is not None and began < between < of_owner == of_all
    assert of_other is None


def test_the_history_is_one_word(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        history = uow.changes.history()
    with backing.unit_of_work() as uow:
        assert uow.changes.history() == history
    assert len(history) == 8 and int(history, 16) >= 0
