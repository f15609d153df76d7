from datetime import UTC, datetime, timedelta

from talelio_backend.app_account.business.use_cases import (
    change_email,
    own_account,
    password_recovery,
    sessions,
)
from talelio_backend.app_account.business.use_cases.checked_access_tokens import CheckedAccessTokens
from talelio_backend.app_account.business.use_cases.issued_tokens import IssuedTokens
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.fuzz.machines.account_links import CONFIRMATION, RESET, REVOCATION
from tests.fuzz.machines.account_system import Kept, Shown, Tokens
from tests.support import account_use_cases as use_cases
from tests.support.samples import ORIGIN


class AccountUseCases:
    """The use cases on fakes."""

    emails: tuple[str, ...] = ('maker@example.com', 'other@example.com', 'third@example.com')
    doubt = timedelta(0)

    def __init__(self) -> None:
        self._uow = FakeUnitOfWork()
        self._tokens = CheckedAccessTokens(use_cases.ACCESS, lambda: FakeUnitOfWork(self._uow.store))
        # Tokens are read by the real clock, and must not be from the future.
        self._now = datetime.now(UTC) - timedelta(minutes=12)

    def now(self) -> datetime:
        return self._now

    def wait(self, time: timedelta) -> None:
        self._now += time

    def register(self, email: str, password: str, username: str) -> int:
        return use_cases.register(
            self._uow,
            email=email,
            password=password,
            username=username,
            whitelist=self.emails,
            now=self._now,
        ).id

    def verify(self, token: str) -> None:
        use_cases.verify(self._uow, token)

    def log_in(self, email: str, password: str) -> Tokens:
        return _tokens(use_cases.log_in(self._uow, email=email, password=password, now=self._now))

    def refresh(self, refresh: str) -> Tokens:
        return _tokens(
            sessions.refresh(
                self._uow,
                use_cases.TOKENS,
                token=refresh,
                client=use_cases.CLIENT,
                actor=ORIGIN,
                now=self._now,
            )
        )

    def log_out(self, refresh: str) -> None:
        sessions.log_out(self._uow, use_cases.REFRESH, token=refresh, actor=ORIGIN, now=self._now)

    def log_out_everywhere(self, access: str) -> None:
        sessions.log_out_everywhere(self._uow, self._tokens.read(access), actor=ORIGIN, now=self._now)

    def list_sessions(self, access: str) -> set[int]:
        return {session.id for session in sessions.list_own(self._uow, self._tokens.read(access), self._now)}

    def end_session(self, access: str, session_id: int) -> None:
        sessions.end_own(self._uow, self._tokens.read(access), session_id, actor=ORIGIN, now=self._now)

    def show(self, access: str) -> Shown:
        account = own_account.show(self._uow, self._tokens.read(access))
        return Shown(email=account.email, username=account.user.username, verified=account.verified)

    def change_password(self, access: str, current: str, new: str) -> str:
        return own_account.change_password(
            self._uow,
            FakeHasher(),
            self._tokens,
            self._tokens.read(access),
            common_passwords=(),
            current=current,
            new=new,
            actor=ORIGIN,
            now=self._now,
        )

    def reset_password(self, link: str, password: str) -> None:
        password_recovery.reset_password(
            self._uow,
            FakeHasher(),
            RESET,
            common_passwords=(),
            token=link,
            password=password,
            actor=ORIGIN,
            now=self._now,
        )

    def request_email_change(self, access: str, email: str, password: str) -> None:
        change_email.request(
            self._uow,
            FakeHasher(),
            self._tokens.read(access),
            whitelist=self.emails,
            email=email,
            password=password,
            actor=ORIGIN,
            now=self._now,
        )

    def confirm_email_change(self, link: str) -> None:
        change_email.confirm(self._uow, CONFIRMATION, token=link, actor=ORIGIN, now=self._now)

    def revoke_email_change(self, link: str) -> None:
        change_email.revoke(self._uow, REVOCATION, token=link, actor=ORIGIN, now=self._now)

    def delete(self, access: str, password: str) -> None:
        own_account.delete(
            self._uow,
            FakeHasher(),
            lambda user_id, keys: None,
            self._tokens.read(access),
            password=password,
            actor=ORIGIN,
            now=self._now,
        )

    def kept(self) -> Kept:
        store = self._uow.store
        return Kept(
            accounts=set(store.accounts), sessions=set(store.sessions), changes=set(store.email_changes)
        )


def _tokens(grant: IssuedTokens) -> Tokens:
    return Tokens(access=grant.access_token, refresh=grant.refresh_token)
