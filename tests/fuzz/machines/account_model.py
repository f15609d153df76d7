"""What accounts and sessions are, told plainly. Everybody is on the whitelist, and nobody is disabled.

Each method returns None where it is done, or else the message of the error.
"""
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    AccountNotVerified,
    EmailTaken,
    InvalidCredentials,
    InvalidLink,
    NoRegisteredAccount,
    SessionEnded,
    SessionNotFound,
    SessionOver,
    WrongPassword,
)
from talelio_backend.app_user.business.errors import AccountGone, UsernameTaken

# In which a refresh token that was just exchanged is still taken.
GRACE = timedelta(seconds=10)


@dataclass(eq=False)
class ModelAccount:
    id: int
    email: str
    username: str
    # None: no password is right.
    password: str | None
    verified: bool = False
    epoch: int = 0


@dataclass(eq=False)
class ModelSession:
    id: int
    account: ModelAccount
    # The secrets of its refresh tokens, the newest last.
    secrets: list[str]
    rotated_at: datetime | None = None


@dataclass(eq=False, frozen=True)
class ModelAccess:
    """What an access token was given out for."""

    account: ModelAccount
    session: ModelSession
    epoch: int


@dataclass(eq=False)
class ModelChange:
    id: int
    account: ModelAccount
    old: str
    new: str
    confirmed: bool = False


@dataclass
class AccountModel:
    accounts: list[ModelAccount] = field(default_factory=list)
    sessions: list[ModelSession] = field(default_factory=list)
    changes: list[ModelChange] = field(default_factory=list)

    def holder(self, email: str) -> ModelAccount | None:
        return next((account for account in self.accounts if account.email == email), None)

    def register(self, email: str, username: str) -> str | None:
        if self.holder(email):
            return EmailTaken(email).message
        if any(account.username == username for account in self.accounts):
            return UsernameTaken(username).message
        return None

    def verify(self, account: ModelAccount, email: str) -> str | None:
        """`email` is the one in the link."""
        if account not in self.accounts or account.email != email:
            return NoRegisteredAccount(email).message
        if account.verified:
            return AccountAlreadyVerified().message
        account.verified = True
        return None

    def log_in(self, email: str, password: str) -> str | None:
        account = self.holder(email)
        if account is None or account.password != password:
            return InvalidCredentials().message
        return None if account.verified else AccountNotVerified().message

    def access(self, token: ModelAccess) -> str | None:
        if token.account not in self.accounts:
            return AccountGone().message
        if token.session not in self.sessions or token.account.epoch != token.epoch:
            return SessionEnded().message
        return None

    def refresh(self, session: ModelSession, secret: str, now: datetime) -> str | None:
        """Where it is done, the newest secret is handed out; the caller adds it if there is a new one."""
        if session not in self.sessions:
            return SessionOver().message
        if secret == session.secrets[-1]:
            return None
        if self.in_grace(session, now) and secret == session.secrets[-2]:
            return None
        self.sessions.remove(session)
        return SessionOver().message

    @staticmethod
    def in_grace(session: ModelSession, now: datetime) -> bool:
        return session.rotated_at is not None and now - session.rotated_at < GRACE

    def log_out_everywhere(self, account: ModelAccount) -> None:
        account.epoch += 1
        self._end_sessions(account)

    def end_session(self, token: ModelAccess, session: ModelSession) -> str | None:
        refusal = self.access(token)
        if refusal is None and (session not in self.sessions or session.account is not token.account):
            return SessionNotFound(session.id).message
        if refusal is None:
            self.sessions.remove(session)
        return refusal

    def prove(self, token: ModelAccess, password: str) -> str | None:
        return self.access(token) or (WrongPassword().message if token.account.password != password else None)

    def replace_password(
        self, account: ModelAccount, password: str | None, staying: ModelSession | None = None
    ) -> None:
        account.password = password
        account.epoch += 1
        self._end_sessions(account, staying)
        self.changes = [each for each in self.changes if each.account is not account or each.confirmed]

    def reset(self, account: ModelAccount, email: str, epoch: int, password: str) -> str | None:
        if account not in self.accounts or (account.email, account.epoch) != (email, epoch):
            return InvalidLink().message
        self.replace_password(account, password)
        account.verified = True
        return None

    def request_change(self, account: ModelAccount) -> None:
        self.changes = [each for each in self.changes if each.account is not account or each.confirmed]

    def confirm(self, change: ModelChange) -> str | None:
        if change not in self.changes or change.confirmed or change.account.email != change.old:
            return InvalidLink().message
        if self.holder(change.new):
            return EmailTaken(change.new).message
        change.account.email, change.confirmed = change.new, True
        return None

    def revoke(self, change: ModelChange) -> str | None:
        if change not in self.changes:
            return InvalidLink().message
        account, holder = change.account, self.holder(change.old)
        if holder is not None and holder is not account:
            if holder.verified:
                return EmailTaken(change.old).message
            self.delete(holder)
        self.replace_password(account, None)
        self.changes = [each for each in self.changes if each.account is not account or each.id < change.id]
        account.email = change.old
        return None

    def delete(self, account: ModelAccount) -> None:
        self.accounts.remove(account)
        self._end_sessions(account)
        self.changes = [each for each in self.changes if each.account is not account]

    def _end_sessions(self, account: ModelAccount, staying: ModelSession | None = None) -> None:
        self.sessions = [each for each in self.sessions if each.account is not account or each is staying]
