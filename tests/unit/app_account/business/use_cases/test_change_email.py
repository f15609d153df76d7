from collections.abc import Callable
from datetime import timedelta

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_change import REVOCATION_PERIOD
from talelio_backend.app_account.business.domain.errors import (
    AccountDisabled,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidLink,
    WrongPassword,
)
from talelio_backend.app_account.business.mails.account_mails import (
    EMAIL_ANNOUNCEMENT_MAIL,
    EMAIL_CONFIRMATION_MAIL,
)
from talelio_backend.app_account.business.ports.links import MailLink
from talelio_backend.app_account.business.use_cases import (
    administration,
    change_email,
    own_account,
    password_recovery,
    whitelist,
)
from talelio_backend.app_account.business.use_cases.administration import Operator
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import ACCESS, EMAIL, NOW, PASSWORD, log_in, register_verified
from tests.support.email_changes import CONFIRMATION, REVOCATION, SECOND, THIRD, ask, confirm, revoke, wish
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY

RESET = JwtLinkTokens('reset', SECRET_KEY)
NEW = 'another pass phrase'
SOON = NOW + timedelta(minutes=5)


def mails(uow: FakeUnitOfWork) -> list[tuple[str, dict[str, int]]]:
    """Those about a change."""
    kinds = (EMAIL_CONFIRMATION_MAIL, EMAIL_ANNOUNCEMENT_MAIL)
    return [(mail.kind, mail.payload) for mail in uow.store.outbox.values() if mail.kind in kinds]


class TestRequest:

    def test_both_addresses_are_written_to_and_nothing_changes_yet(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        change = wish(uow, account, ' Second@Example.com')

        payload = {'account_id': account.id, 'change_id': change.id}
        assert mails(uow) == [(EMAIL_CONFIRMATION_MAIL, payload), (EMAIL_ANNOUNCEMENT_MAIL, payload)]
        assert (change.old_email, change.new_email, change.requested_at) == (EMAIL, SECOND, NOW)
        assert uow.store.accounts[account.id].email == EMAIL

    @pytest.mark.parametrize('email', ['stranger@example.com', 'no address', ''])
    def test_an_address_that_may_not_register_is_refused(self, email: str) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        with pytest.raises(EmailNotWhitelisted):
            ask(uow, account, email)

        assert not mails(uow) and not uow.store.email_changes

    def test_one_that_the_operator_added_is_good_until_it_expires(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        friend = 'friend@example.com'
        whitelist.add(uow, email=friend, note='', expires_at=SOON, actor=ORIGIN, now=NOW)

        assert wish(uow, account, friend).new_email == friend
        with pytest.raises(EmailNotWhitelisted):
            ask(uow, account, friend, now=SOON)

    def test_a_wrong_password_asks_for_nothing(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        with pytest.raises(WrongPassword):
            ask(uow, account, password='wrong')

        assert not mails(uow) and not uow.store.email_changes

    def test_of_several_wishes_of_an_account_only_the_last_is_good(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        other = register_verified(uow, email='other@example.com', username='other')
        of_other, earlier, last = wish(uow, other), wish(uow, account), wish(uow, account, THIRD)

        with pytest.raises(InvalidLink):
            confirm(uow, earlier)

        assert confirm(uow, last).email == THIRD
        assert confirm(uow, of_other).email == SECOND

    def test_to_ask_for_the_own_address_is_to_wish_for_no_other(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        earlier = wish(uow, account)
        before = mails(uow)

        ask(uow, account, EMAIL)

        assert mails(uow) == before
        with pytest.raises(InvalidLink):
            confirm(uow, earlier)

    @pytest.mark.parametrize(('age', 'kept'), [(REVOCATION_PERIOD, True),
                                               (REVOCATION_PERIOD + timedelta(seconds=1), False)])
    def test_a_confirmed_change_is_kept_for_as_long_as_it_may_be_taken_back(
        self, age: timedelta, kept: bool
    ) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        confirmed = wish(uow, account)
        confirm(uow, confirmed, now=NOW)

        ask(uow, account, THIRD, now=NOW + age)

        assert (confirmed.id in uow.store.email_changes) == kept


class TestShow:

    def test_to_look_at_a_link_is_not_to_use_it(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = wish(uow, account)

        for tokens, email in ((CONFIRMATION, SECOND), (REVOCATION, EMAIL)):
            token = tokens.issue(MailLink(account.id, email, change.id), NOW)
            shown = change_email.show(uow, tokens, token=token)
            assert (shown.old_email, shown.new_email) == (EMAIL, SECOND)

        assert confirm(uow, change).email == SECOND

    @pytest.mark.parametrize(('of_account', 'of_change'), [(0, 1), (1, 0)])
    def test_a_link_about_another_account_or_change_shows_nothing(
        self, of_account: int, of_change: int
    ) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = wish(uow, account)
        link = MailLink(account.id + of_account, SECOND, change.id + of_change)

        with pytest.raises(InvalidLink):
            change_email.show(uow, CONFIRMATION, token=CONFIRMATION.issue(link, NOW))


class TestConfirm:

    def test_the_account_moves_once(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = wish(uow, account)

        assert confirm(uow, change, now=SOON).email == SECOND

        assert uow.store.accounts[account.id].updated_at == SOON
        assert log_in(uow, email=SECOND).access_token
        with pytest.raises(InvalidLink):
            confirm(uow, change)

    def test_a_link_that_was_used_stays_so_also_when_the_address_is_the_old_one_again(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        there = wish(uow, account)
        confirm(uow, there)
        confirm(uow, wish(uow, account, EMAIL))

        with pytest.raises(InvalidLink):
            confirm(uow, there)

        assert uow.store.accounts[account.id].email == EMAIL

    def test_an_address_that_somebody_took_meanwhile_stays_theirs(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = wish(uow, account)
        register_verified(uow, email=SECOND, username='quicker', whitelist={SECOND})

        with pytest.raises(EmailTaken):
            confirm(uow, change)

        assert uow.store.accounts[account.id].email == EMAIL

    def test_a_disabled_account_stays_where_it_is(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = wish(uow, account)
        administration.disable_account(Operator(uow=uow, actor=ORIGIN, now=NOW), EMAIL)

        with pytest.raises(AccountDisabled):
            confirm(uow, change)

        assert uow.store.accounts[account.id].email == EMAIL


def change_password(uow: FakeUnitOfWork, account: Account) -> None:
    own_account.change_password(
        uow,
        FakeHasher(),
        ACCESS,
        Identity(account.id),
        common_passwords=(),
        current=PASSWORD,
        new=NEW,
        actor=ORIGIN,
        now=NOW,
    )


def reset_password(uow: FakeUnitOfWork, account: Account) -> None:
    token = RESET.issue(MailLink(account.id, account.email, account.token_epoch), NOW)
    password_recovery.reset_password(
        uow, FakeHasher(), RESET, common_passwords=(), token=token, password=NEW, actor=ORIGIN, now=NOW
    )


def set_password(uow: FakeUnitOfWork, account: Account) -> None:
    by = Operator(uow=uow, actor=ORIGIN, now=NOW)
    administration.set_password(by, FakeHasher(), common_passwords=(), email=account.email, password=NEW)


@pytest.mark.parametrize('replace', [change_password, reset_password, set_password])
class TestAnotherPassword:

    def test_a_wish_ends_with_the_password_that_it_was_made_with(
        self, replace: Callable[[FakeUnitOfWork, Account], None]
    ) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = wish(uow, account)

        replace(uow, account)

        with pytest.raises(InvalidLink):
            confirm(uow, change)
        assert uow.store.accounts[account.id].email == EMAIL

    def test_what_was_confirmed_can_still_be_taken_back(
        self, replace: Callable[[FakeUnitOfWork, Account], None]
    ) -> None:
        uow = FakeUnitOfWork()
        change = wish(uow, register_verified(uow))
        account = confirm(uow, change)

        replace(uow, account)

        assert revoke(uow, change).email == EMAIL
