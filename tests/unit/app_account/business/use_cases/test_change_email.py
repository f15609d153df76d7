from collections.abc import Callable
from datetime import timedelta

import pytest

from talelio_backend.app_account.business.domain.account import REVOCATION_PERIOD, Account
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
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases import (
    administration,
    change_email,
    own_account,
    password_recovery,
    whitelist,
)
from talelio_backend.shared.business.identity import Identity
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import EMAIL, NOW, PASSWORD, PORTS, context, log_in, register_verified
from tests.support.email_changes import SECOND, THIRD, confirm, request, request_change, revoke

NEW = 'another pass phrase'
SOON = NOW + timedelta(minutes=5)


def mails(uow: FakeUnitOfWork) -> list[tuple[str, dict[str, int]]]:
    """The queued mails about e-mail changes."""
    kinds = (EMAIL_CONFIRMATION_MAIL, EMAIL_ANNOUNCEMENT_MAIL)
    return [(mail.kind, mail.payload) for mail in uow.store.outbox.values() if mail.kind in kinds]


class TestRequest:

    def test_both_addresses_get_a_mail_and_nothing_changes_yet(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        change = request_change(uow, account, ' Second@Example.com')

        payload = {'account_id': account.id, 'change_id': change.id}
        assert mails(uow) == [(EMAIL_CONFIRMATION_MAIL, payload), (EMAIL_ANNOUNCEMENT_MAIL, payload)]
        assert (change.old_email, change.new_email, change.requested_at) == (EMAIL, SECOND, NOW)
        assert uow.store.accounts[account.id].email == EMAIL

    @pytest.mark.parametrize('email', ['stranger@example.com', 'no address', ''])
    def test_an_address_that_may_not_register_is_refused(self, email: str) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        with pytest.raises(EmailNotWhitelisted):
            request(uow, account, email)

        assert not mails(uow) and not uow.store.email_changes

    def test_an_operators_entry_is_valid_until_it_expires(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        friend = 'friend@example.com'
        whitelist.add(context(uow), email=friend, note='', expires_at=SOON)

        assert request_change(uow, account, friend).new_email == friend
        with pytest.raises(EmailNotWhitelisted):
            request(uow, account, friend, now=SOON)

    def test_a_wrong_password_requests_nothing(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        with pytest.raises(WrongPassword):
            request(uow, account, password='wrong')

        assert not mails(uow) and not uow.store.email_changes

    def test_only_the_last_requested_change_is_valid(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        other = register_verified(uow, email='other@example.com', username='other')
        of_other, earlier, last = request_change(uow, other), request_change(uow, account), request_change(
            uow, account, THIRD
        )

        with pytest.raises(InvalidLink):
            confirm(uow, earlier)

        assert confirm(uow, last).email == THIRD
        assert confirm(uow, of_other).email == SECOND

    def test_requesting_the_current_address_cancels_a_pending_change(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        earlier = request_change(uow, account)
        before = mails(uow)

        request(uow, account, EMAIL)

        assert mails(uow) == before
        with pytest.raises(InvalidLink):
            confirm(uow, earlier)

    @pytest.mark.parametrize(('age', 'kept'), [(REVOCATION_PERIOD, True),
                                               (REVOCATION_PERIOD + timedelta(seconds=1), False)])
    def test_a_confirmed_change_is_kept_while_it_can_be_revoked(self, age: timedelta, kept: bool) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        confirmed = request_change(uow, account)
        confirm(uow, confirmed, now=NOW)

        request(uow, account, THIRD, now=NOW + age)

        assert (confirmed.id in uow.store.email_changes) == kept


class TestShow:

    def test_viewing_a_link_does_not_use_it(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = request_change(uow, account)

        for purpose, email in ((LinkPurpose.EMAIL_CONFIRMATION, SECOND),
                               (LinkPurpose.EMAIL_REVOCATION, EMAIL)):
            token = PORTS.links[purpose].issue(MailLink(account.id, email, change.id), NOW)
            shown = change_email.show(context(uow), purpose, token)
            assert (shown.old_email, shown.new_email) == (EMAIL, SECOND)

        assert confirm(uow, change).email == SECOND

    @pytest.mark.parametrize(('of_account', 'of_change'), [(0, 1), (1, 0)])
    def test_a_link_of_another_account_or_change_is_refused(self, of_account: int, of_change: int) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = request_change(uow, account)
        link = MailLink(account.id + of_account, SECOND, change.id + of_change)

        with pytest.raises(InvalidLink):
            purpose = LinkPurpose.EMAIL_CONFIRMATION
            change_email.show(context(uow), purpose, PORTS.links[purpose].issue(link, NOW))


class TestConfirm:

    def test_a_change_is_confirmed_once(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = request_change(uow, account)

        assert confirm(uow, change, now=SOON).email == SECOND

        assert uow.store.accounts[account.id].updated_at == SOON
        assert log_in(uow, email=SECOND).access_token
        with pytest.raises(InvalidLink):
            confirm(uow, change)

    def test_a_used_link_stays_used_after_a_return_to_the_old_address(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        there = request_change(uow, account)
        confirm(uow, there)
        confirm(uow, request_change(uow, account, EMAIL))

        with pytest.raises(InvalidLink):
            confirm(uow, there)

        assert uow.store.accounts[account.id].email == EMAIL

    def test_an_address_taken_in_the_meantime_is_refused(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = request_change(uow, account)
        register_verified(uow, email=SECOND, username='quicker', whitelist={SECOND})

        with pytest.raises(EmailTaken):
            confirm(uow, change)

        assert uow.store.accounts[account.id].email == EMAIL

    def test_a_disabled_account_keeps_its_address(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = request_change(uow, account)
        administration.disable_account(context(uow), EMAIL)

        with pytest.raises(AccountDisabled):
            confirm(uow, change)

        assert uow.store.accounts[account.id].email == EMAIL


def change_password(uow: FakeUnitOfWork, account: Account) -> None:
    own_account.change_password(context(uow), Identity(account.id), current=PASSWORD, new=NEW)


def reset_password(uow: FakeUnitOfWork, account: Account) -> None:
    link = MailLink(account.id, account.email, account.token_epoch)
    token = PORTS.links[LinkPurpose.RESET].issue(link, NOW)
    password_recovery.reset_password(context(uow), token=token, password=NEW)


def set_password(uow: FakeUnitOfWork, account: Account) -> None:
    administration.set_password(context(uow), account.email, NEW)


@pytest.mark.parametrize('replace', [change_password, reset_password, set_password])
class TestAnotherPassword:

    def test_changing_the_password_cancels_a_pending_email_change(
        self, replace: Callable[[FakeUnitOfWork, Account], None]
    ) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        change = request_change(uow, account)

        replace(uow, account)

        with pytest.raises(InvalidLink):
            confirm(uow, change)
        assert uow.store.accounts[account.id].email == EMAIL

    def test_a_confirmed_change_can_still_be_revoked(
        self, replace: Callable[[FakeUnitOfWork, Account], None]
    ) -> None:
        uow = FakeUnitOfWork()
        change = request_change(uow, register_verified(uow))
        account = confirm(uow, change)

        replace(uow, account)

        assert revoke(uow, change).email == EMAIL
