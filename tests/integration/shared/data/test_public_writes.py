"""Which units of work say that what everybody may read may have changed."""
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from talelio_backend.bootstrap import UnitOfWork
from tests.support.samples import NOW, new_account, new_event, new_image, new_mail, new_project


@pytest.fixture(name='user_id')
def _user_id(engine: Engine) -> int:
    with UnitOfWork(engine) as uow:
        account = new_account()
        uow.accounts.add(account)
        uow.projects.add(new_project(account.user.id, slug='first'))
        scheduled = new_project(account.user.id, slug='later')
        scheduled.published_at = NOW + timedelta(days=365_000)
        uow.projects.add(scheduled)
        uow.commit()
        return account.user.id


def publish(uow: UnitOfWork, user_id: int) -> None:
    uow.projects.add(new_project(user_id, slug='another'))


def change(uow: UnitOfWork, user_id: int) -> None:
    project = uow.projects.get_by_slug(user_id, 'first')
    assert project is not None
    project.title = 'Another'


def remove(uow: UnitOfWork, user_id: int) -> None:
    project = uow.projects.get_by_slug(user_id, 'first')
    assert project is not None
    uow.projects.delete(project)


def move(uow: UnitOfWork, _user_id: int) -> None:
    user = uow.users.get_by_username(new_account().user.username)
    assert user is not None
    user.location = 'Lisboa'


def leave(uow: UnitOfWork, _user_id: int) -> None:
    account = uow.accounts.get_by_email(new_account().email)
    assert account is not None
    uow.accounts.delete(account)


def settle(uow: UnitOfWork, _user_id: int) -> None:
    assert uow.changes.settle(NOW + timedelta(days=400_000), purge_before=NOW)


def upload(uow: UnitOfWork, user_id: int) -> None:
    uow.images.add(new_image(user_id))


def note(uow: UnitOfWork, _user_id: int) -> None:
    uow.audit.add(new_event())
    uow.outbox.add(new_mail())


def count(uow: UnitOfWork, _user_id: int) -> None:
    uow.counters.lock([('login', 'somebody')], NOW)


def read(uow: UnitOfWork, user_id: int) -> None:
    assert uow.projects.get_by_slug(user_id, 'first') is not None


@pytest.mark.parametrize(
    ('work', 'is_public'),
    [
        (publish, True),
        (change, True),
        (remove, True),
        (move, True),
        (leave, True),
        (settle, True),
        (upload, False),
        (note, False),
        (count, False),
        (read, False),
    ],
    ids=lambda value: getattr(value, '__name__', None),
)
def test_a_commit_says_whether_it_may_have_changed_what_is_public(
    engine: Engine, user_id: int, work: Callable[[UnitOfWork, int], None], is_public: bool
) -> None:
    said: list[bool] = []
    with UnitOfWork(engine, public_changed=lambda: said.append(True)) as uow:
        work(uow, user_id)
        assert not said, 'nobody else can see it yet'
        uow.commit()

    assert said == [True] * is_public


def test_what_is_not_committed_is_not_said(engine: Engine, user_id: int) -> None:
    said: list[bool] = []
    with UnitOfWork(engine, public_changed=lambda: said.append(True)) as uow:
        publish(uow, user_id)

    assert not said
