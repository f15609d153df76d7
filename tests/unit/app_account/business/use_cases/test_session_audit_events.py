"""The audit trail records logins and the end of sessions."""
import pytest

from talelio_backend.app_account.business.domain.errors import (
    AccountNotVerified,
    InvalidCredentials,
    SessionOver,
)
from talelio_backend.app_account.business.domain.session import GRACE
from talelio_backend.app_account.business.use_cases import sessions
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.identity import Identity
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    ACCESS,
    CLIENT,
    EMAIL,
    context,
    log_in,
    register,
    register_verified,
)
from tests.support.trail import LATER, assert_recorded


def session_of(token: str) -> int:
    session_id = ACCESS.read(token).session_id
    assert session_id is not None
    return session_id


def test_a_login() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    log_in(uow, now=LATER)

    assert_recorded(uow, EventKind.LOGIN_SUCCEEDED, account)


def test_a_failed_login() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    for email, about in ((EMAIL, account), ('stranger@example.com', None), ('no address', None)):
        with pytest.raises(InvalidCredentials):
            log_in(uow, email=email, password='wrong', now=LATER)
        assert_recorded(uow, EventKind.LOGIN_FAILED, about, by_account=False)


def test_a_refused_login_records_the_reason() -> None:
    uow = FakeUnitOfWork()
    account = register(uow)

    with pytest.raises(AccountNotVerified):
        log_in(uow, now=LATER)

    event = assert_recorded(uow, EventKind.LOGIN_REFUSED, account, by_account=False)
    assert event.details == {'reason': 'Account not verified'}


def test_the_end_of_a_session() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    sessions.log_out(context(uow, LATER), log_in(uow).refresh_token)
    assert_recorded(uow, EventKind.SESSION_ENDED, account)

    uow.store.events.clear()
    owner = ACCESS.read(log_in(uow).access_token)
    sessions.end_current(context(uow, LATER), owner)
    assert_recorded(uow, EventKind.SESSION_ENDED, account)
    assert not uow.store.sessions

    uow.store.events.clear()
    other = session_of(log_in(uow).access_token)
    sessions.end_own(context(uow, LATER), owner, other)
    assert_recorded(uow, EventKind.SESSION_ENDED, account)


def test_the_end_of_all_sessions() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)

    sessions.log_out_everywhere(context(uow, LATER), Identity(account.id))

    assert_recorded(uow, EventKind.ALL_SESSIONS_ENDED, account)


def test_replaying_an_old_token() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    token = log_in(uow).refresh_token
    sessions.refresh(context(uow, LATER - GRACE), token=token, client=CLIENT)

    with pytest.raises(SessionOver):
        sessions.refresh(context(uow, LATER), token=token, client=CLIENT)

    # The token may have been stolen.
    assert_recorded(uow, EventKind.REFRESH_TOKEN_REPLAYED, account, by_account=False)
