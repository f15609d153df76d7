from datetime import timedelta

import pytest

from talelio_backend.app_account.business.domain.errors import EmailTaken, InvalidCredentials, InvalidLink
from talelio_backend.app_account.business.mails.account_mails import MailRequests
from talelio_backend.app_account.business.use_cases.password_recovery import RESET_REQUEST
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import EMAIL, NOW, log_in, register, register_verified, token_for, verify
from tests.support.email_changes import SECOND, THIRD, confirm, request_change, revoke

# The thief's mailbox.
THIEF = SECOND
SOON = NOW + timedelta(minutes=5)


def test_revoking_restores_the_address_and_invalidates_the_password() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    theft = request_change(uow, account, THIEF)
    confirm(uow, theft)
    log_in(uow, email=THIEF)

    revoke(uow, theft, now=SOON)

    returned = uow.store.accounts[account.id]
    assert (returned.email, returned.updated_at) == (EMAIL, SOON)
    assert not uow.store.sessions
    for email in (EMAIL, THIEF):
        with pytest.raises(InvalidCredentials):
            log_in(uow, email=email)


@pytest.mark.parametrize('confirmed', [True, False])
def test_a_link_works_once(confirmed: bool) -> None:
    uow = FakeUnitOfWork()
    change = request_change(uow, register_verified(uow))
    if confirmed:
        confirm(uow, change)
    revoke(uow, change)

    with pytest.raises(InvalidLink):
        revoke(uow, change)
    with pytest.raises(InvalidLink):
        confirm(uow, change)


def test_a_thief_cannot_invalidate_the_owners_link() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    theft = request_change(uow, account, THIEF)
    confirm(uow, theft)
    # The revocation link of this change goes to the thief.
    revoke(uow, request_change(uow, account, THIRD))

    revoke(uow, theft)

    assert uow.store.accounts[account.id].email == EMAIL


def test_revoking_cancels_later_changes() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    theft = request_change(uow, account, THIEF)
    confirm(uow, theft)
    later = request_change(uow, account, THIRD)
    confirm(uow, later)

    revoke(uow, theft)

    assert uow.store.accounts[account.id].email == EMAIL
    with pytest.raises(InvalidLink):
        revoke(uow, later)


def test_an_unverified_registration_does_not_block_revoking() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    theft = request_change(uow, account, THIEF)
    confirm(uow, theft)
    stranger = register(uow, username='stranger')

    revoke(uow, theft)

    assert uow.store.accounts[account.id].email == EMAIL
    assert stranger.id not in uow.store.accounts


def test_a_verified_registration_keeps_the_address() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    change = request_change(uow, account, THIRD)
    confirm(uow, change)
    successor = register(uow, username='successor')
    verify(uow, token_for(successor))

    with pytest.raises(EmailTaken):
        revoke(uow, change)

    assert successor.id in uow.store.accounts


def test_revoking_mails_a_reset_link_despite_the_pause() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    theft = request_change(uow, account, THIEF)
    relay = MailRequests(lambda: FakeUnitOfWork(uow.store))
    relay.reset({'account_id': account.id}, NOW)

    revoke(uow, theft, now=SOON)
    asked, = (mail for mail in uow.store.outbox.values() if mail.kind == RESET_REQUEST)
    relay.reset(asked.payload, asked.due_at + timedelta(seconds=1))

    assert asked.due_at == SOON
    resets = [mail.payload for mail in uow.store.outbox.values() if mail.kind == 'password_reset']
    epoch = uow.store.accounts[account.id].token_epoch
    assert resets[-1] == {'account_id': account.id, 'epoch': epoch}
