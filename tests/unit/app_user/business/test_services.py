from datetime import timedelta
from typing import NoReturn

import pytest

from talelio_backend.app_user.business import services
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.errors import Invalid, PreconditionFailed
from talelio_backend.shared.business.identity import Identity
from tests.fakes.store import Store
from tests.fakes.unit_of_work import FakeUnitOfWork, FakeUserIds, FakeUserRepository
from tests.support.samples import NOW, new_account

LATER = NOW + timedelta(hours=1)
STRANGER = Identity(999)


def joined(uow: FakeUnitOfWork, username: str) -> Identity:
    account = new_account(username)
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return Identity(account.id)


@pytest.fixture(name='uow')
def fixture_uow() -> FakeUnitOfWork:
    uow = FakeUnitOfWork()
    joined(uow, 'somebody')
    return uow


def user_of(uow: FakeUnitOfWork, owner: Identity) -> User:
    return uow.store.accounts[owner.account_id].user


@pytest.mark.parametrize('username', ['maker', 'MAKER', 'Maker'])
def test_a_user_is_found_in_any_letter_case(uow: FakeUnitOfWork, username: str) -> None:
    owner = joined(uow, 'maker')

    assert services.show(uow, username).username == 'maker'
    with uow:
        assert services.find_user_id(uow.user_ids, username) == user_of(uow, owner).id


def test_an_unknown_name_is_reported(uow: FakeUnitOfWork) -> None:
    with pytest.raises(UserNotFound, match="^User 'stranger' does not exist$"):
        services.show(uow, 'stranger')
    with uow, pytest.raises(UserNotFound, match="^User 'stranger' does not exist$"):
        services.find_user_id(uow.user_ids, 'stranger')


class UnaskedUsers(FakeUserRepository):

    def get_by_username(self, username: str) -> NoReturn:
        raise AssertionError(f'{username!r} is malformed')


class UnaskedIds(FakeUserIds):

    def by_username(self, username: str) -> NoReturn:
        raise AssertionError(f'{username!r} is malformed')

    def by_account(self, account_id: int) -> NoReturn:
        raise AssertionError(f'The user id of {account_id} is known')


@pytest.mark.parametrize('username', ['', 'a/b', 'x' * 65, 'a\0', '\ud800'])
def test_a_malformed_username_is_not_queried(username: str) -> None:
    with pytest.raises(UserNotFound) as caught:
        services.find_user(UnaskedUsers(Store()), username)
    assert caught.value.message == f"User '{username}' does not exist"
    with pytest.raises(UserNotFound):
        services.find_user_id(UnaskedIds(Store()), username)


def test_the_own_user_is_found(uow: FakeUnitOfWork) -> None:
    owner = joined(uow, 'maker')

    assert services.show_own(uow, owner).username == 'maker'
    with uow:
        assert services.find_own_user_id(uow.user_ids, owner) == user_of(uow, owner).id


def test_a_deleted_account_finds_and_changes_nothing(uow: FakeUnitOfWork) -> None:
    with pytest.raises(AccountGone):
        services.show_own(uow, STRANGER)
    with uow, pytest.raises(AccountGone):
        services.find_own_user_id(uow.user_ids, STRANGER)
    with pytest.raises(AccountGone):
        services.change_own(uow, STRANGER, location='Zürich', now=LATER)


def test_only_the_own_user_changes(uow: FakeUnitOfWork) -> None:
    owner = joined(uow, 'maker')

    changed = services.change_own(uow, owner, location='Zürich', now=LATER)

    assert (changed.username, changed.location, changed.updated_at) == ('maker', 'Zürich', LATER)
    assert [account.user.location for account in uow.store.accounts.values()] == ['', 'Zürich']


def test_absent_fields_stay_unchanged(uow: FakeUnitOfWork) -> None:
    owner = joined(uow, 'maker')
    services.change_own(uow, owner, location='Zürich', now=NOW)

    changed = services.change_own(uow, owner, location=None, now=LATER)

    assert (changed.location, changed.updated_at) == ('Zürich', NOW)


def test_an_invalid_location_changes_nothing(uow: FakeUnitOfWork) -> None:
    owner = joined(uow, 'maker')

    with pytest.raises(Invalid):
        services.change_own(uow, owner, location='a\nb', now=LATER)

    assert user_of(uow, owner).location == ''


def test_a_failed_precondition_changes_nothing(uow: FakeUnitOfWork) -> None:
    owner = joined(uow, 'maker')
    seen = []

    def refuse(user: User) -> None:
        seen.append((user.username, user.location))
        raise PreconditionFailed()

    with pytest.raises(PreconditionFailed):
        services.change_own(uow, owner, location='Zürich', now=LATER, precondition=refuse)

    assert seen == [('maker', '')]
    assert user_of(uow, owner).location == ''
    services.change_own(uow, owner, location='Zürich', now=LATER, precondition=lambda user: None)
    assert user_of(uow, owner).location == 'Zürich'


def test_a_known_user_id_is_not_queried() -> None:
    assert services.find_own_user_id(UnaskedIds(Store()), Identity(account_id=1, user_id=7)) == 7
