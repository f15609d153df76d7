from datetime import timedelta

import pytest

from talelio_backend.app_account.business.domain.account import RESET_PAUSE, Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import (
    InvalidCredentials,
    InvalidLink,
    InvalidVerificationToken,
    WeakPassword,
)
from talelio_backend.app_account.business.mails.account_mails import (
    PASSWORD_CHANGED_MAIL,
    PASSWORD_RESET_MAIL,
    VERIFICATION_MAIL,
    MailRequests,
)
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases import password_recovery
from talelio_backend.app_account.business.use_cases.password_recovery import (
    RESET_REQUEST,
    VERIFICATION_REQUEST,
)
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    EMAIL,
    NOW,
    PORTS,
    context,
    log_in,
    register,
    register_verified,
    token_for,
    verify,
)

NEW = 'another pass phrase'


def mails_of(uow: FakeUnitOfWork, kind: str) -> list[dict[str, int]]:
    return [mail.payload for mail in uow.store.outbox.values() if mail.kind == kind]


def relay(uow: FakeUnitOfWork) -> MailRequests:
    return MailRequests(lambda: FakeUnitOfWork(uow.store))


def link_to(account: Account, **changes: object) -> str:
    epoch = account.token_epoch
    values = {'account_id': account.id, 'email': account.email, 'serial': epoch, **changes}
    return PORTS.links[LinkPurpose.RESET].issue(MailLink(**values), NOW)  # type: ignore[arg-type]


def reset(uow: FakeUnitOfWork, token: str, password: str = NEW) -> None:
    password_recovery.reset_password(context(uow), token=token, password=password)


class TestRequest:

    @pytest.mark.parametrize('kind', [RESET_REQUEST, VERIFICATION_REQUEST])
    @pytest.mark.parametrize('email', [EMAIL, 'MAKER@example.com', 'stranger@example.com', 'no address'])
    def test_a_request_writes_the_same_for_every_address(self, kind: str, email: str) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        uow.commits = 0

        password_recovery.request_by_mail(context(uow), kind, EmailAddress(email))

        about = account.id if email.lower() == EMAIL else 0
        assert (uow.commits, mails_of(uow, kind)) == (1, [{'account_id': about}])

    def test_the_relay_queues_no_second_link_within_the_pause(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        payload = {'account_id': account.id}

        for now in (NOW, NOW, NOW + RESET_PAUSE / 2):
            relay(uow).reset(payload, now)
        assert mails_of(uow, PASSWORD_RESET_MAIL) == [{'account_id': account.id, 'epoch': 0}]

        relay(uow).reset(payload, NOW + RESET_PAUSE)
        assert len(mails_of(uow, PASSWORD_RESET_MAIL)) == 2

    def test_no_account_gets_no_mail(self) -> None:
        uow = FakeUnitOfWork()

        relay(uow).reset({'account_id': 0}, NOW)
        relay(uow).verification({'account_id': 0}, NOW)

        assert not uow.store.outbox

    def test_a_new_verification_link_invalidates_the_older_one(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)

        for now in (NOW + timedelta(seconds=1), NOW + timedelta(hours=1), NOW + timedelta(hours=1)):
            relay(uow).verification({'account_id': account.id}, now)

        assert [payload['serial'] for payload in mails_of(uow, VERIFICATION_MAIL)] == [1, 2]
        with pytest.raises(InvalidVerificationToken):
            verify(uow, token_for(account))
        assert verify(uow, token_for(account, serial=2)).verified

    def test_a_verified_account_gets_no_verification_link(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        relay(uow).verification({'account_id': account.id}, NOW + timedelta(hours=1))

        assert len(mails_of(uow, VERIFICATION_MAIL)) == 1


class TestReset:

    def test_a_reset_replaces_the_password_and_ends_all_sessions(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        log_in(uow)

        reset(uow, link_to(account))

        assert not uow.store.sessions
        with pytest.raises(InvalidCredentials):
            log_in(uow)
        assert log_in(uow, password=NEW).access_token
        told, = mails_of(uow, PASSWORD_CHANGED_MAIL)
        assert told['account_id'] == account.id

    def test_a_link_works_once(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        token = link_to(account)
        reset(uow, token)

        with pytest.raises(InvalidLink):
            reset(uow, token, 'a third pass phrase')

    def test_viewing_a_reset_link_does_not_use_it(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        for _ in range(2):
            assert password_recovery.show_reset(context(uow), link_to(account)).email == EMAIL
        reset(uow, link_to(account))

    def test_a_reset_verifies_the_address(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)

        reset(uow, link_to(account))

        assert log_in(uow, password=NEW).access_token

    @pytest.mark.parametrize(
        'changes', [{
            'account_id': 99
        }, {
            'email': 'other@example.com'
        }, {
            'serial': 1
        }, {
            'serial': -1
        }],
        ids=repr
    )
    def test_a_link_with_outdated_claims_is_refused(self, changes: dict[str, object]) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        with pytest.raises(InvalidLink):
            reset(uow, link_to(account, **changes))

    def test_a_link_of_another_purpose_is_refused(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        link = MailLink(account.id, account.email, 0)

        for purpose in (LinkPurpose.EMAIL_CONFIRMATION, LinkPurpose.EMAIL_REVOCATION):
            with pytest.raises(InvalidLink):
                reset(uow, PORTS.links[purpose].issue(link, NOW))
        with pytest.raises(InvalidLink):
            reset(uow, token_for(account))

    def test_a_weak_password_does_not_use_the_link(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        with pytest.raises(WeakPassword):
            reset(uow, link_to(account), 'password')
        reset(uow, link_to(account))
