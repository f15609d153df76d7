from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    AccountDisabled,
    EmailTaken,
    WeakPassword,
)
from talelio_backend.app_account.business.use_cases import administration
from talelio_backend.app_account.business.use_cases.administration import NoSuchAccount
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import BusinessError, Conflict, Invalid
from talelio_backend.shared.idempotency.business.claims import IdempotencyClaim, scope_of
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import EMAIL, NOW, PASSWORD, context, log_in, register, register_verified
from tests.support.samples import new_image

# When the operator acts.
LATER = NOW + timedelta(minutes=1)


def by(uow: FakeUnitOfWork, **ports: Any) -> AccountContext:
    return replace(context(uow, LATER, **ports), actor=Actor(name='operator maria'))


def create(uow: FakeUnitOfWork, **changes: Any) -> Account:
    arguments = {'email': 'Hand@example.com', 'username': 'hand-made', 'password': PASSWORD, **changes}
    return administration.create(by(uow), **arguments)


def last_event(uow: FakeUnitOfWork) -> tuple[EventKind, str, int | None]:
    event = list(uow.store.events.values())[-1]
    assert event.occurred_at == LATER
    return event.kind, event.actor, event.account_id


def test_create_needs_no_whitelist_and_no_link() -> None:
    uow = FakeUnitOfWork()

    account = create(uow)

    assert last_event(uow) == (EventKind.ACCOUNT_CREATED, 'operator maria', account.id)
    assert (account.email, account.verified, account.created_at) == ('hand@example.com', True, LATER)
    assert not uow.store.outbox
    log_in(uow, email='hand@example.com')


@pytest.mark.parametrize(('changes', 'error', 'message'), [
    ({'email': 'no address'}, Invalid, "^'no address' is not an e-mail address$"),
    ({'email': 'MAKER@example.com'}, EmailTaken, "'MAKER@example.com' already exists"),
    ({'username': 'maker'}, UsernameTaken, "'maker' already exists"),
    ({'password': 'short'}, WeakPassword, 'at least 8'),
    ({'password': 'hand-made'}, WeakPassword, 'must not be the email or the username'),
    ({'password': 'hand@example.com'}, WeakPassword, 'must not be the email or the username'),
    ({'username': 'a/b'}, Invalid, 'letters'),
])  # yapf: disable
def test_the_rules_apply_to_the_operator_too(
    changes: dict[str, str], error: type[BusinessError], message: str
) -> None:
    uow = FakeUnitOfWork()
    register(uow)

    with pytest.raises(error, match=message):
        create(uow, **changes)

    assert len(uow.store.accounts) == 1


def test_an_account_is_verified_once() -> None:
    uow = FakeUnitOfWork()
    account = register(uow)

    administration.verify(by(uow), 'MAKER@example.com')

    assert uow.store.accounts[account.id].updated_at == LATER
    assert last_event(uow) == (EventKind.ACCOUNT_VERIFIED, 'operator maria', account.id)
    log_in(uow)
    with pytest.raises(AccountAlreadyVerified):
        administration.verify(by(uow), EMAIL)


def test_disabling_ends_sessions_and_prevents_logins() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    log_in(uow)

    administration.disable_account(by(uow), EMAIL)

    assert last_event(uow) == (EventKind.ACCOUNT_DISABLED, 'operator maria', account.id)
    assert not uow.store.sessions
    locked = uow.store.accounts[account.id]
    assert locked.token_epoch == account.token_epoch + 1
    assert (locked.disabled_at, locked.updated_at) == (LATER, LATER)
    with pytest.raises(AccountDisabled, match='Account disabled'):
        log_in(uow)
    with pytest.raises(Conflict, match='^The account is disabled already$'):
        administration.disable_account(by(uow), EMAIL)


def test_an_enabled_account_can_log_in_again() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    administration.disable_account(by(uow), EMAIL)

    assert administration.enable_account(by(uow), EMAIL).updated_at == LATER

    assert last_event(uow) == (EventKind.ACCOUNT_ENABLED, 'operator maria', account.id)
    log_in(uow)
    with pytest.raises(Conflict, match='^The account is not disabled$'):
        administration.enable_account(by(uow), EMAIL)


def test_setting_a_password_ends_all_sessions() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    log_in(uow)

    administration.set_password(by(uow), EMAIL, 'another horse battery')

    assert last_event(uow) == (EventKind.PASSWORD_CHANGED, 'operator maria', account.id)
    assert uow.store.accounts[account.id].updated_at == LATER
    assert not uow.store.sessions
    log_in(uow, password='another horse battery')


def test_a_weak_password_changes_nothing() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    with pytest.raises(WeakPassword):
        administration.set_password(by(uow), EMAIL, EMAIL)

    assert uow.store.accounts[account.id].password_hash == account.password_hash


def test_deleting_removes_the_account_and_records_its_id() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    with uow:
        wanted = IdempotencyClaim.make(scope=scope_of(account.id), key='key', fingerprint='', now=NOW)
        uow.idempotency_claims.get_or_add(wanted)
        image = new_image(account.user.id)
        uow.images.add(image)
        uow.commit()

    freed: list[tuple[int, Sequence[str]]] = []
    administration.delete(by(uow, free_files=lambda user_id, keys: freed.append((user_id, keys))), EMAIL)

    assert not uow.store.accounts
    assert not uow.store.images
    assert not uow.store.idempotency_claims
    assert freed == [(account.user.id, image.keys)]
    assert last_event(uow) == (EventKind.ACCOUNT_DELETED, 'operator maria', account.id)


@pytest.mark.parametrize('email', ['stranger@example.com', 'no address'])
def test_an_unknown_name_is_reported(email: str) -> None:
    uow = FakeUnitOfWork()
    register_verified(uow)

    def free_files(_user_id: int, _keys: Sequence[str]) -> None:
        raise AssertionError('No account was deleted')

    for use_case in (
        administration.verify, administration.disable_account, administration.enable_account,
        administration.delete
    ):
        with pytest.raises(NoSuchAccount, match=f"^There is no account '{email}'$"):
            use_case(by(uow, free_files=free_files), email)
    with pytest.raises(NoSuchAccount, match=f"There is no account '{email}'"):
        administration.show(uow, email)


def test_accounts_are_listed_oldest_first() -> None:
    uow = FakeUnitOfWork()
    first, second = register(uow), create(uow)

    with uow:
        assert [account.id for account in uow.accounts.all()] == [first.id, second.id]
    assert administration.show(uow, 'MAKER@example.com').id == first.id
