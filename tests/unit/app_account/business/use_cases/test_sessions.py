import logging
from datetime import datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.errors import (
    AccountNotVerified,
    InvalidRefreshToken,
    SessionEnded,
    SessionNotFound,
    SessionOver,
)
from talelio_backend.app_account.business.domain.session import (
    ABSOLUTE_LIFETIME,
    GRACE,
    IDLE_LIFETIME,
    MAX_SESSIONS,
    Client,
)
from talelio_backend.app_account.business.use_cases import sessions
from talelio_backend.app_account.business.use_cases.sessions import CheckedAccessTokens, IssuedTokens
from talelio_backend.app_account.data.jwt import JwtRefreshTokens
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    ACCESS,
    CLIENT,
    NOW,
    REFRESH,
    context,
    log_in,
    register,
    register_verified,
)
from tests.support.served_api import SECRET_KEY

# Tokens issued in the future are invalid, so the tests start in the past.
START = NOW - timedelta(minutes=10)
LONG_AGO = NOW - ABSOLUTE_LIFETIME + timedelta(hours=1)
SECOND = timedelta(seconds=1)
OTHER_KEY = 'another key that is for the tests alone: 987654'


def logged_in(now: datetime = START) -> tuple[FakeUnitOfWork, IssuedTokens]:
    uow = FakeUnitOfWork()
    register_verified(uow)
    return uow, log_in(uow, now=now)


def refresh(
    uow: FakeUnitOfWork,
    issued: IssuedTokens,
    now: datetime = START,
    *,
    tokens: JwtRefreshTokens = REFRESH,
    client: Client = CLIENT
) -> IssuedTokens:
    arguments = context(uow, now, refresh_tokens=tokens)
    return sessions.refresh(arguments, token=issued.refresh_token, client=client)


def secret_of(issued: IssuedTokens) -> str:
    return REFRESH.read(issued.refresh_token).secret


def check(uow: FakeUnitOfWork, token: str) -> Identity:
    return CheckedAccessTokens(ACCESS, lambda: FakeUnitOfWork(uow.store)).read(token)


class TestRefresh:

    def test_each_token_is_exchanged_for_the_next(self) -> None:
        uow, issued = logged_in()
        seen = [secret_of(issued)]

        for step in range(1, 5):
            issued = refresh(uow, issued, START + step * GRACE)
            seen.append(secret_of(issued))

        assert len(set(seen)) == 5
        assert check(uow, issued.access_token).session_id in uow.store.sessions

    def test_only_a_hash_is_stored(self) -> None:
        uow, issued = logged_in()
        issued = refresh(uow, issued)

        assert secret_of(issued) not in repr(vars(next(iter(uow.store.sessions.values()))))

    def test_concurrent_tabs_receive_the_same_token(self) -> None:
        uow, issued = logged_in()

        first = refresh(uow, issued)
        second = refresh(uow, issued, START + GRACE - SECOND)

        assert secret_of(first) == secret_of(second) != secret_of(issued)

    def test_a_second_exchange_in_the_grace_period_does_not_invalidate_the_other_tab(self) -> None:
        uow, issued = logged_in()

        first = refresh(uow, issued)
        again = refresh(uow, first, START + GRACE - 2 * SECOND)
        late = refresh(uow, issued, START + GRACE - SECOND)

        assert secret_of(first) == secret_of(again) == secret_of(late)

    @pytest.mark.parametrize('exchanges', [1, 2, 7])
    def test_replaying_an_old_token_ends_the_session(
        self, exchanges: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        uow, first = logged_in()
        owner = ACCESS.read(first.access_token)
        latest = first
        for step in range(exchanges):
            latest = refresh(uow, latest, START + step * GRACE)

        with caplog.at_level(logging.WARNING), pytest.raises(SessionOver):
            refresh(uow, first, START + exchanges * GRACE)

        assert not uow.store.sessions
        assert caplog.messages == [
            f'refresh_token_replayed: session {owner.session_id} of account {owner.account_id} ended'
        ]
        with pytest.raises(SessionOver):
            refresh(uow, latest, START + exchanges * GRACE)
        with pytest.raises(SessionEnded):
            check(uow, latest.access_token)

    def test_replaying_an_old_token_ends_no_other_session(self) -> None:
        uow, issued = logged_in()
        other = log_in(uow, now=START)
        refresh(uow, issued)

        with pytest.raises(SessionOver):
            refresh(uow, issued, START + GRACE)

        assert refresh(uow, other).access_token

    def test_a_forged_token_ends_nothing(self) -> None:
        uow, issued = logged_in()
        forged = JwtRefreshTokens(OTHER_KEY).issue(REFRESH.read(issued.refresh_token), START)

        for token in (forged, ACCESS.issue(Identity(1), START), '', 'x'):
            with pytest.raises(InvalidRefreshToken):
                sessions.refresh(context(uow, START), token=token, client=CLIENT)

        assert refresh(uow, issued).access_token

    def test_an_unused_session_expires(self) -> None:
        uow, issued = logged_in(LONG_AGO)
        issued = refresh(uow, issued, LONG_AGO + IDLE_LIFETIME - SECOND)

        with pytest.raises(SessionOver):
            refresh(uow, issued, LONG_AGO + 2 * IDLE_LIFETIME - SECOND)

    def test_a_used_session_expires_after_its_absolute_lifetime(self) -> None:
        uow, issued = logged_in(LONG_AGO)
        now = LONG_AGO
        while now + IDLE_LIFETIME / 2 < LONG_AGO + ABSOLUTE_LIFETIME:
            now += IDLE_LIFETIME / 2
            issued = refresh(uow, issued, now)

        assert now + issued.lifetime == LONG_AGO + ABSOLUTE_LIFETIME
        with pytest.raises(SessionOver):
            refresh(uow, issued, LONG_AGO + ABSOLUTE_LIFETIME)

    def test_a_refresh_records_the_client(self) -> None:
        uow, issued = logged_in(LONG_AGO)
        now = LONG_AGO + timedelta(hours=1)

        refresh(uow, issued, now, client=Client(device='Chrome on Android', address='192.0.2.2'))

        session, = uow.store.sessions.values()
        assert (session.device, session.address) == ('Chrome on Android', '192.0.2.2')
        assert (session.created_at, session.last_used_at) == (LONG_AGO, now)

    def test_an_unverified_account_gets_no_token(self) -> None:
        uow, issued = logged_in()
        next(iter(uow.store.accounts.values())).verified = False

        with pytest.raises(AccountNotVerified):
            refresh(uow, issued)

    def test_a_session_survives_a_key_rotation(self) -> None:
        uow, issued = logged_in()
        issued = refresh(uow, issued)
        renewed = JwtRefreshTokens(OTHER_KEY, SECRET_KEY)

        # A concurrent tab receives the old key's successor; then the new key takes over.
        raced = refresh(uow, issued, START + SECOND, tokens=renewed)
        issued = refresh(uow, raced, START + GRACE, tokens=renewed)
        old_key_gone = JwtRefreshTokens(OTHER_KEY)

        assert refresh(uow, issued, START + 2 * GRACE, tokens=old_key_gone).access_token


class TestLogIn:

    def test_the_number_of_sessions_is_limited(self) -> None:
        uow, oldest = logged_in()
        logins = [log_in(uow, now=START + step * SECOND) for step in range(1, MAX_SESSIONS + 1)]

        assert len(uow.store.sessions) == MAX_SESSIONS
        with pytest.raises(SessionEnded):
            check(uow, oldest.access_token)
        check(uow, logins[0].access_token)

    def test_expired_sessions_are_deleted(self) -> None:
        uow, _ = logged_in(LONG_AGO)

        log_in(uow, now=LONG_AGO + IDLE_LIFETIME)

        assert len(uow.store.sessions) == 1

    def test_no_session_begins_if_the_password_changes_during_the_check(self) -> None:
        uow, _ = logged_in()

        class SlowHasher(FakeHasher):

            def verify(self, password: str, password_hash: str | None) -> bool:
                next(iter(uow.store.accounts.values())).revoke_access_tokens()
                return super().verify(password, password_hash)

        with pytest.raises(Unavailable):
            log_in(uow, SlowHasher(), now=START)
        assert len(uow.store.sessions) == 1


class TestEnding:

    def test_a_logout_ends_the_session_and_its_tokens(self) -> None:
        uow, issued = logged_in()
        other = log_in(uow, now=START)

        sessions.log_out(context(uow, START), issued.refresh_token)

        with pytest.raises(SessionEnded, match='The session of this token has ended'):
            check(uow, issued.access_token)
        with pytest.raises(SessionOver):
            refresh(uow, issued)
        check(uow, other.access_token)

    @pytest.mark.parametrize('token', ['', 'x', ACCESS.issue(Identity(1), START)])
    def test_a_logout_with_any_other_token_ends_nothing(self, token: str) -> None:
        uow, _ = logged_in()

        sessions.log_out(context(uow, START), token)

        assert len(uow.store.sessions) == 1

    def test_a_logout_may_be_repeated(self) -> None:
        uow, issued = logged_in()

        for _ in range(2):
            sessions.log_out(context(uow, START), issued.refresh_token)
            sessions.end_current(context(uow, START), ACCESS.read(issued.access_token))

        assert not uow.store.sessions

    def test_a_logout_everywhere_also_ends_tokens_without_a_session(self) -> None:
        uow, issued = logged_in()
        other = log_in(uow, now=START)
        owner = ACCESS.read(issued.access_token)
        sessionless = ACCESS.issue(Identity(owner.account_id), START)
        check(uow, sessionless)

        sessions.log_out_everywhere(context(uow, START), owner)

        for token in (issued.access_token, other.access_token, sessionless):
            with pytest.raises(SessionEnded):
                check(uow, token)
        assert not uow.store.sessions
        check(uow, log_in(uow, now=START).access_token)

    def test_another_accounts_session_is_not_found(self) -> None:
        uow, issued = logged_in()
        stranger = register(uow, email='other@example.com', username='other')
        session_id = ACCESS.read(issued.access_token).session_id or 0

        with pytest.raises(SessionNotFound, match=f'There is no session {session_id}'):
            sessions.end_own(context(uow, START), Identity(stranger.id), session_id)
        assert not sessions.list_own(context(uow, START), Identity(stranger.id))
        with pytest.raises(SessionEnded):
            check(uow, ACCESS.issue(Identity(stranger.id, session_id), START))
        sessions.end_own(context(uow, START), ACCESS.read(issued.access_token), session_id)
        assert not uow.store.sessions

    def test_sessions_are_listed_most_recently_used_first(self) -> None:
        uow, issued = logged_in()
        log_in(uow, now=START + SECOND)
        refresh(uow, issued, START + 2 * SECOND)
        owner = ACCESS.read(issued.access_token)

        listed = sessions.list_own(context(uow, START), owner)

        assert [session.id == owner.session_id for session in listed] == [True, False]

    def test_a_token_of_a_deleted_account_is_refused(self) -> None:
        uow, issued = logged_in()
        owner = ACCESS.read(issued.access_token)
        uow.store.accounts.clear()

        with pytest.raises(AccountGone):
            check(uow, issued.access_token)
        with pytest.raises(AccountGone):
            sessions.log_out_everywhere(context(uow, START), owner)
        with pytest.raises(SessionOver):
            refresh(uow, issued)
