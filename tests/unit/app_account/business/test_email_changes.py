from collections.abc import Callable
from datetime import timedelta

import pytest

from talelio_backend.app_account.business import administration, email_changes, own_account, recovery
from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.administration import Operator
from talelio_backend.app_account.business.email_change import EmailChange
from talelio_backend.app_account.business.errors import AccountDisabled, EmailTaken, InvalidLink
from talelio_backend.app_account.business.link_ports import MailLink
from talelio_backend.app_account.business.mail_requests import MailRequests
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    ACCESS,
    EMAIL,
    NOW,
    PASSWORD,
    register,
    register_verified,
    token_for,
    verify,
)
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY

CONFIRMATION = JwtLinkTokens('email-confirmation', SECRET_KEY)
REVOCATION = JwtLinkTokens('email-revocation', SECRET_KEY)
RESET = JwtLinkTokens('reset', SECRET_KEY)
THIEF = 'thief@example.com'
NEW = 'another pass phrase'


def ask(uow: FakeUnitOfWork, account: Account, email: str) -> EmailChange:
    """As somebody does who has an access token and knows the password."""
    email_changes.request(
        uow,
        FakeHasher(),
        Identity(account.id),
        whitelist={EMAIL, THIEF, 'third@example.com'},
        email=email,
        password=PASSWORD,
        origin=ORIGIN,
        now=NOW,
    )
    return max(uow.store.email_changes.values(), key=lambda change: change.id)


def confirm(uow: FakeUnitOfWork, change: EmailChange) -> None:
    token = CONFIRMATION.issue(MailLink(change.account_id, change.new_email, change.id), NOW)
    email_changes.confirm(uow, CONFIRMATION, token=token, origin=ORIGIN, now=NOW)


def revoke(uow: FakeUnitOfWork, change: EmailChange) -> None:
    token = REVOCATION.issue(MailLink(change.account_id, change.old_email, change.id), NOW)
    email_changes.revoke(uow, REVOCATION, token=token, origin=ORIGIN, now=NOW)


def test_a_disabled_account_stays_where_it_is() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    wish = ask(uow, account, THIEF)
    administration.lock_out(Operator(uow=uow, origin=ORIGIN, now=NOW), EMAIL)

    with pytest.raises(AccountDisabled):
        confirm(uow, wish)

    assert uow.store.accounts[account.id].email == EMAIL


class TestTakingBack:

    def test_who_took_the_account_cannot_take_the_owners_link_back(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        theft = ask(uow, account, THIEF)
        confirm(uow, theft)
        # The link of this one goes to the thief's own mailbox.
        revoke(uow, ask(uow, account, 'third@example.com'))

        revoke(uow, theft)

        assert uow.store.accounts[account.id].email == EMAIL

    def test_what_was_changed_later_goes_with_it(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        theft = ask(uow, account, THIEF)
        confirm(uow, theft)
        later = ask(uow, account, 'third@example.com')
        confirm(uow, later)

        revoke(uow, theft)

        assert uow.store.accounts[account.id].email == EMAIL
        with pytest.raises(InvalidLink):
            revoke(uow, later)

    def test_nobody_keeps_it_from_the_owner_by_registering_the_address(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        theft = ask(uow, account, THIEF)
        confirm(uow, theft)
        stranger = register(uow, username='stranger')

        revoke(uow, theft)

        assert uow.store.accounts[account.id].email == EMAIL
        assert stranger.id not in uow.store.accounts

    def test_who_has_shown_to_own_the_address_keeps_it(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = ask(uow, account, 'third@example.com')
        confirm(uow, change)
        successor = register(uow, username='successor')
        verify(uow, token_for(successor))

        with pytest.raises(EmailTaken):
            revoke(uow, change)

        assert successor.id in uow.store.accounts

    def test_the_way_back_in_is_mailed_also_just_after_another_link(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        theft = ask(uow, account, THIEF)
        relay = MailRequests(lambda: FakeUnitOfWork(uow.store))
        relay.reset({'account_id': account.id}, NOW)

        revoke(uow, theft)
        relay.reset({'account_id': account.id}, NOW + timedelta(seconds=1))

        resets = [mail.payload for mail in uow.store.outbox.values() if mail.kind == 'password_reset']
        epoch = uow.store.accounts[account.id].token_epoch
        assert resets[-1] == {'account_id': account.id, 'epoch': epoch}


def change_password(uow: FakeUnitOfWork, account: Account) -> None:
    own_account.change_password(
        uow,
        FakeHasher(),
        ACCESS,
        Identity(account.id),
        common_passwords=(),
        current=PASSWORD,
        new=NEW,
        origin=ORIGIN,
        now=NOW,
    )


def reset_password(uow: FakeUnitOfWork, account: Account) -> None:
    token = RESET.issue(MailLink(account.id, EMAIL, account.token_epoch), NOW)
    recovery.reset_password(
        uow, FakeHasher(), RESET, common_passwords=(), token=token, password=NEW, origin=ORIGIN, now=NOW
    )


def set_password(uow: FakeUnitOfWork, _account: Account) -> None:
    by = Operator(uow=uow, origin=ORIGIN, now=NOW)
    administration.set_password(by, FakeHasher(), common_passwords=(), email=EMAIL, password=NEW)


@pytest.mark.parametrize('replace', [change_password, reset_password, set_password])
def test_a_wish_ends_with_the_password_that_it_was_made_with(
    replace: Callable[[FakeUnitOfWork, Account], None]
) -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    wish = ask(uow, account, THIEF)

    replace(uow, account)

    with pytest.raises(InvalidLink):
        confirm(uow, wish)
    assert uow.store.accounts[account.id].email == EMAIL
