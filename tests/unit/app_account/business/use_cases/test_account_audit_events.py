"""The audit trail records every change of an account's credentials."""
from collections.abc import Callable

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import EmailNotWhitelisted, WrongPassword
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
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
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.identity import Identity
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    EMAIL,
    NOW,
    PASSWORD,
    PORTS,
    context,
    register,
    register_verified,
    token_for,
)
from tests.support.email_changes import confirm, request, request_change, revoke
from tests.support.trail import LATER, assert_recorded

NEW = 'another pass phrase'
OTHER = 'other@example.com'


def change_password(uow: FakeUnitOfWork, account: Account, current: str = PASSWORD) -> None:
    own_account.change_password(context(uow, LATER), Identity(account.id), current=current, new=NEW)


def delete(uow: FakeUnitOfWork, account: Account, password: str = PASSWORD) -> None:
    own_account.delete(context(uow, LATER), Identity(account.id), password)


def ask_for_other_address(uow: FakeUnitOfWork, account: Account, password: str = PASSWORD) -> None:
    request(uow, account, password=password, now=LATER)


def test_registering_and_verifying() -> None:
    uow = FakeUnitOfWork()

    account = register(uow, now=LATER)
    assert_recorded(uow, EventKind.ACCOUNT_REGISTERED, account, by_account=False)

    registration.verify(context(uow, LATER), token_for(account))
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

    registration.claim(context(uow, LATER), token=token_for(account), password=NEW, username=None)

    assert_recorded(uow, EventKind.ACCOUNT_CLAIMED, account)


@pytest.mark.parametrize(('kind', 'recorded'), [
    (RESET_REQUEST, EventKind.PASSWORD_RESET_REQUESTED),
    (VERIFICATION_REQUEST, EventKind.VERIFICATION_RENEWED),
])  # yapf: disable
def test_requesting_a_link(kind: str, recorded: EventKind) -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    for email, about in ((EMAIL, account), ('stranger@example.com', None), ('no address', None)):
        password_recovery.request_by_mail(context(uow, LATER), kind, EmailAddress(email))
        assert_recorded(uow, recorded, about, by_account=False)


def test_changing_and_resetting_a_password() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    change_password(uow, account)
    assert_recorded(uow, EventKind.PASSWORD_CHANGED, account)

    token = PORTS.links[LinkPurpose.RESET].issue(MailLink(account.id, EMAIL, 1), NOW)
    password_recovery.reset_password(context(uow, LATER), token=token, password=PASSWORD)
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

    whitelist.add(context(uow, LATER), email=OTHER.upper(), note='', expires_at=None)
    event = assert_recorded(uow, EventKind.WHITELIST_ADDED, None, by_account=False)
    assert event.details == {'email': OTHER}

    whitelist.remove(context(uow, LATER), email=OTHER.upper(), disable_account=False)
    event = assert_recorded(uow, EventKind.WHITELIST_REMOVED, None, by_account=False)
    assert event.details == {'email': OTHER}


def test_disabling_an_account_with_its_whitelist_entry() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    whitelist.add(context(uow), email=EMAIL, note='', expires_at=None)

    whitelist.remove(context(uow, LATER), email=EMAIL, disable_account=True)

    assert_recorded(uow, EventKind.ACCOUNT_DISABLED, account, by_account=False)
