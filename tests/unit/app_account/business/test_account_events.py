"""Who did what, when and from where: every change of what gives access leaves it in the audit trail."""
from datetime import timedelta

from talelio_backend.app_account.business import email_changes, own_account, recovery, sessions
from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.link_ports import MailLink
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.shared.business.audit import EventKind
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import ACCESS, EMAIL, NOW, PASSWORD, REFRESH, log_in, register_verified
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY

LATER = NOW + timedelta(minutes=1)
NEW = 'another pass phrase'


def assert_recorded(
    uow: FakeUnitOfWork, kind: EventKind, account: Account, *, by_account: bool = True
) -> None:
    event = uow.store.events[max(uow.store.events)]
    assert (event.kind, event.occurred_at, event.account_id) == (kind, LATER, account.id)
    assert (event.address, event.user_agent, event.request_id) == ('192.0.2.7', 'curl/8', 'request-1')
    assert (event.actor == f'account {account.id}') == by_account, event.actor


def session_of(token: str) -> int:
    session_id = ACCESS.read(token).session_id
    assert session_id is not None
    return session_id


def test_the_end_of_a_session() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    sessions.log_out(uow, REFRESH, token=log_in(uow).refresh_token, origin=ORIGIN, now=LATER)
    assert_recorded(uow, EventKind.SESSION_ENDED, account)

    uow.store.events.clear()
    owner = ACCESS.read(log_in(uow).access_token)
    sessions.end_current(uow, owner, origin=ORIGIN, now=LATER)
    assert_recorded(uow, EventKind.SESSION_ENDED, account)
    assert not uow.store.sessions

    uow.store.events.clear()
    other = session_of(log_in(uow).access_token)
    sessions.end_own(uow, owner, other, origin=ORIGIN, now=LATER)
    assert_recorded(uow, EventKind.SESSION_ENDED, account)


def test_the_end_of_all_sessions() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    sessions.log_out_everywhere(uow, Identity(account.id), origin=ORIGIN, now=LATER)

    assert_recorded(uow, EventKind.ALL_SESSIONS_ENDED, account)


def test_another_password() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    own_account.change_password(
        uow,
        FakeHasher(),
        ACCESS,
        Identity(account.id),
        common_passwords=(),
        current=PASSWORD,
        new=NEW,
        origin=ORIGIN,
        now=LATER,
    )
    assert_recorded(uow, EventKind.PASSWORD_CHANGED, account)

    reset = JwtLinkTokens('reset', SECRET_KEY)
    token = reset.issue(MailLink(account.id, EMAIL, 1), NOW)
    recovery.reset_password(
        uow,
        FakeHasher(),
        reset,
        common_passwords=(),
        token=token,
        password=PASSWORD,
        origin=ORIGIN,
        now=LATER,
    )
    assert_recorded(uow, EventKind.PASSWORD_RESET, account)
    assert uow.store.accounts[account.id].updated_at == LATER


def test_an_address_that_is_taken_back() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    email_changes.request(
        uow,
        FakeHasher(),
        Identity(account.id),
        whitelist={'other@example.com'},
        email='other@example.com',
        password=PASSWORD,
        origin=ORIGIN,
        now=LATER,
    )
    assert_recorded(uow, EventKind.EMAIL_CHANGE_REQUESTED, account)

    change, = uow.store.email_changes.values()
    revocation = JwtLinkTokens('email-revocation', SECRET_KEY)
    token = revocation.issue(MailLink(account.id, EMAIL, change.id), NOW)
    email_changes.revoke(uow, revocation, token=token, origin=ORIGIN, now=LATER)

    assert_recorded(uow, EventKind.EMAIL_CHANGE_REVOKED, account, by_account=False)
