from datetime import UTC, datetime

import pytest

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_project.business import services
from talelio_backend.app_project.business.errors import TooExpensiveToRender
from talelio_backend.app_project.business.project import Project
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.page import PageRequest
from tests.fakes.ports import FakeRenderer
from tests.fakes.unit_of_work import FakeUnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(name='uow')
def fixture_uow() -> FakeUnitOfWork:
    return FakeUnitOfWork()


@pytest.fixture(name='author')
def fixture_author(uow: FakeUnitOfWork) -> Identity:
    account = Account.register('maker@example.com', 'hash', User.create('maker', NOW), NOW)
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return Identity(account.id)


def publish(uow: FakeUnitOfWork, author: Identity, title: str = 'Title', body: str = 'x') -> Project:
    return services.publish(uow, FakeRenderer(), author, title=title, body=body, now=NOW)


def test_a_project_is_kept_as_sent_beside_its_html(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, ' Title ', '  body\r\n')

    stored = uow.store.projects[project.id]
    assert (stored.title, stored.body, stored.html) == (' Title ', '  body\r\n', '<p>  body\r\n</p>')
    assert (stored.created_at, stored.updated_at) == (NOW, None)
    assert stored.user_id == uow.store.accounts[author.account_id].user.id


@pytest.mark.parametrize(
    ('title', 'body', 'message'),
    [
        ('', 'x', "'title' must not be blank"),
        (' \t\n', 'x', "'title' must not be blank"),
        ('x' * 201, 'x', "'title' must have at most 200 characters"),
        ('Title', 'x' * (256 * 1024 + 1), "'body' must have at most 256 KiB"),
        ('Title', 'ü' * (128 * 1024 + 1), "'body' must have at most 256 KiB"),
    ],
)
def test_a_project_out_of_bounds_is_refused(
    uow: FakeUnitOfWork, author: Identity, title: str, body: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        publish(uow, author, title, body)
    assert not uow.store.projects


@pytest.mark.parametrize(('title', 'body'), [('x' * 200, ''), ('Title', 'x' * 256 * 1024),
                                             ('Title', 'ü' * 128 * 1024)])
def test_a_project_at_the_bounds_is_accepted(
    uow: FakeUnitOfWork, author: Identity, title: str, body: str
) -> None:
    assert publish(uow, author, title, body).id in uow.store.projects


def test_a_text_that_cannot_be_rendered_is_not_kept(uow: FakeUnitOfWork, author: Identity) -> None:
    with pytest.raises(TooExpensiveToRender):
        publish(uow, author, body='too expensive')
    assert not uow.store.projects


def test_an_account_that_is_gone_publishes_nothing(uow: FakeUnitOfWork) -> None:
    with pytest.raises(AccountGone):
        publish(uow, Identity(99))


def test_a_list_holds_the_users_own_projects_newest_first(uow: FakeUnitOfWork, author: Identity) -> None:
    ids = [publish(uow, author).id for _ in range(3)]

    page = services.list_of_user(uow, 'Maker', PageRequest(limit=2))
    rest = services.list_of_user(uow, 'maker', PageRequest(limit=2, before=page.next_before))

    assert [project.id for project in page.items] == [ids[2], ids[1]]
    assert [project.id for project in rest.items] == [ids[0]]
    assert rest.next_before is None


@pytest.mark.usefixtures('author')
def test_a_user_without_projects_has_an_empty_list(uow: FakeUnitOfWork) -> None:
    assert not services.list_of_user(uow, 'maker', PageRequest(limit=2)).items


@pytest.mark.parametrize('username', ['nobody', 'a/b', '\0', '\ud800', 'x' * 5000])
def test_a_user_who_cannot_be_is_named(uow: FakeUnitOfWork, username: str) -> None:
    with pytest.raises(UserNotFound) as caught:
        services.list_of_user(uow, username, PageRequest(limit=2))
    assert caught.value.message == f"User '{username}' does not exist"
