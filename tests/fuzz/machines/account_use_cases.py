from datetime import UTC, datetime, timedelta

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.use_cases import (
    change_email,
    own_account,
    password_recovery,
    sessions,
)
from talelio_backend.app_account.business.use_cases.sessions import CheckedAccessTokens, IssuedTokens
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.fuzz.machines.account_system import Kept, Shown, Tokens
from tests.support import account_use_cases as use_cases


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

    def _context(self) -> AccountContext:
        return use_cases.context(
            self._uow, self._now, access_tokens=self._tokens, whitelist=self.emails, common_passwords=()
        )

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
        return _tokens(sessions.refresh(self._context(), token=refresh, client=use_cases.CLIENT))

    def log_out(self, refresh: str) -> None:
        sessions.log_out(self._context(), refresh)

    def log_out_everywhere(self, access: str) -> None:
        sessions.log_out_everywhere(self._context(), self._tokens.read(access))

    def list_sessions(self, access: str) -> set[int]:
        return {session.id for session in sessions.list_own(self._context(), self._tokens.read(access))}

    def end_session(self, access: str, session_id: int) -> None:
        sessions.end_own(self._context(), self._tokens.read(access), session_id)

    def show(self, access: str) -> Shown:
        account = own_account.show(self._uow, self._tokens.read(access))
        return Shown(email=account.email, username=account.user.username, verified=account.verified)

    def change_password(self, access: str, current: str, new: str) -> str:
        owner = self._tokens.read(access)
        return own_account.change_password(self._context(), owner, current=current, new=new)

    def reset_password(self, link: str, password: str) -> None:
        password_recovery.reset_password(self._context(), token=link, password=password)

    def request_email_change(self, access: str, email: str, password: str) -> None:
        owner = self._tokens.read(access)
        change_email.request(self._context(), owner, email=EmailAddress(email), password=password)

    def confirm_email_change(self, link: str) -> None:
        change_email.confirm(self._context(), link)

    def revoke_email_change(self, link: str) -> None:
        change_email.revoke(self._context(), link)

    def delete(self, access: str, password: str) -> None:
        own_account.delete(self._context(), self._tokens.read(access), password)

    def kept(self) -> Kept:
        store = self._uow.store
        return Kept(
            accounts=set(store.accounts), sessions=set(store.sessions), changes=set(store.email_changes)
        )


def _tokens(grant: IssuedTokens) -> Tokens:
    return Tokens(access=grant.access_token, refresh=grant.refresh_token)
