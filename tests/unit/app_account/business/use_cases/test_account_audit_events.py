"""The audit trail records every change of an account's credentials."""
from collections.abc import Callable

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import EmailNotWhitelisted, WrongPassword
from talelio_backend.app_account.business.ports.links import MailLink
from talelio_backend.app_account.business.use_cases import (
    own_account,
    password_recovery,
    registration,
    whitelist,
)
from talelio_backend.app_account.business.use_cases.password_recovery import (
    RESET_REQUEST,
    VERIFICATION_REQUEST,
)
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    ACCESS,
    EMAIL,
    NOW,
    PASSWORD,
    VERIFICATION,
    register,
    register_verified,
    token_for,
)
from tests.support.email_changes import confirm, request, request_change, revoke
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY
from tests.support.trail import LATER, assert_recorded

NEW = 'another pass phrase'
OTHER = 'other@example.com'


def change_password(uow: FakeUnitOfWork, account: Account, current: str = PASSWORD) -> None:
    own_account.change_password(
        uow,
        FakeHasher(),
        ACCESS,
        Identity(account.id),
        common_passwords=(),
        current=current,
        new=NEW,
        actor=ORIGIN,
        now=LATER,
    )


def delete(uow: FakeUnitOfWork, account: Account, password: str = PASSWORD) -> None:
    own_account.delete(
        uow,
        FakeHasher(),
        lambda user_id, keys: None,
        Identity(account.id),
        password=password,
        actor=ORIGIN,
        now=LATER,
    )


def ask_for_other_address(uow: FakeUnitOfWork, account: Account, password: str = PASSWORD) -> None:
    request(uow, account, password=password, now=LATER)


def test_registering_and_verifying() -> None:
    uow = FakeUnitOfWork()

    account = register(uow, now=LATER)
    assert_recorded(uow, EventKind.ACCOUNT_REGISTERED, account, by_account=False)

    registration.verify(uow, VERIFICATION, token=token_for(account), actor=ORIGIN, now=LATER)
    assert_recorded(uow, EventKind.ACCOUNT_VERIFIED, account)


def test_a_refused_registration() -> None:
    uow = FakeUnitOfWork()

    with pytest.raises(EmailNotWhitelisted):
        register(uow, email='stranger@example.com', now=LATER)

    event = assert_recorded(uow, EventKind.REGISTRATION_REFUSED, None, by_account=False)
    assert event.details == {'reason': 'email not whitelisted'}


def test_claiming_an_account() -> None:
    uow = FakeUnitOfWork()
    account = register(uow)

    registration.claim(
        uow,
        FakeHasher(),
        VERIFICATION,
        common_passwords=(),
        token=token_for(account),
        password=NEW,
        username=None,
        actor=ORIGIN,
        now=LATER,
    )

    assert_recorded(uow, EventKind.ACCOUNT_CLAIMED, account)


@pytest.mark.parametrize(('kind', 'recorded'), [
    (RESET_REQUEST, EventKind.PASSWORD_RESET_REQUESTED),
    (VERIFICATION_REQUEST, EventKind.VERIFICATION_RENEWED),
])  # yapf: disable
def test_requesting_a_link(kind: str, recorded: EventKind) -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    for email, about in ((EMAIL, account), ('stranger@example.com', None), ('no address', None)):
        password_recovery.request_by_mail(uow, kind, email=email, actor=ORIGIN, now=LATER)
        assert_recorded(uow, recorded, about, by_account=False)


def test_changing_and_resetting_a_password() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    change_password(uow, account)
    assert_recorded(uow, EventKind.PASSWORD_CHANGED, account)

    reset = JwtLinkTokens('reset', SECRET_KEY)
    token = reset.issue(MailLink(account.id, EMAIL, 1), NOW)
    password_recovery.reset_password(
        uow,
        FakeHasher(),
        reset,
        common_passwords=(),
        token=token,
        password=PASSWORD,
        actor=ORIGIN,
        now=LATER,
    )
    assert_recorded(uow, EventKind.PASSWORD_RESET, account)
    assert uow.store.accounts[account.id].updated_at == LATER


@pytest.mark.parametrize('use_case', [change_password, delete, ask_for_other_address])
def test_a_failed_password_check(use_case: Callable[[FakeUnitOfWork, Account, str], None]) -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    with pytest.raises(WrongPassword):
        use_case(uow, account, 'wrong')

    assert_recorded(uow, EventKind.PASSWORD_PROOF_FAILED, account, by_account=False)


def test_deleting_ones_account() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    delete(uow, account)

    assert_recorded(uow, EventKind.ACCOUNT_DELETED, account)


def test_changing_an_address() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    change = request_change(uow, account, now=LATER)
    assert_recorded(uow, EventKind.EMAIL_CHANGE_REQUESTED, account)

    confirm(uow, change, now=LATER)
    assert_recorded(uow, EventKind.EMAIL_CHANGED, account)


def test_revoking_an_address_change() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    revoke(uow, request_change(uow, account), now=LATER)

    assert_recorded(uow, EventKind.EMAIL_CHANGE_REVOKED, account, by_account=False)


def test_revoking_over_an_unverified_account() -> None:
    uow = FakeUnitOfWork()
    change = request_change(uow, register_verified(uow))
    confirm(uow, change)
    stranger = register(uow, username='stranger')

    revoke(uow, change, now=LATER)

    del uow.store.events[max(uow.store.events)]
    assert_recorded(uow, EventKind.ACCOUNT_DELETED, stranger, by_account=False)


def test_the_whitelist() -> None:
    uow = FakeUnitOfWork()

    whitelist.add(uow, email=OTHER.upper(), note='', expires_at=None, actor=ORIGIN, now=LATER)
    event = assert_recorded(uow, EventKind.WHITELIST_ADDED, None, by_account=False)
    assert event.details == {'email': OTHER}

    whitelist.remove(uow, email=OTHER.upper(), disable_account=False, actor=ORIGIN, now=LATER)
    event = assert_recorded(uow, EventKind.WHITELIST_REMOVED, None, by_account=False)
    assert event.details == {'email': OTHER}


def test_disabling_an_account_with_its_whitelist_entry() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    whitelist.add(uow, email=EMAIL, note='', expires_at=None, actor=ORIGIN, now=NOW)

    whitelist.remove(uow, email=EMAIL, disable_account=True, actor=ORIGIN, now=LATER)

    assert_recorded(uow, EventKind.ACCOUNT_DISABLED, account, by_account=False)
