from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.app_account.business.domain.session import RefreshToken, Session
from talelio_backend.shared.business.unit_of_work import ReadSession, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class AccountStatus:
    """The state of an account that decides whether its access tokens are valid."""

    user_id: int
    epoch: int
    disabled: bool
    # True if no session was asked for.
    session_active: bool


class AccountStatuses(Protocol):

    def account_status(self, account_id: int, session_id: int | None) -> AccountStatus | None:
        """Return None if the account does not exist."""


class AccountStatusReadSession(ReadSession, Protocol):

    @property
    def sessions(self) -> AccountStatuses:
        ...


class SessionRepository(AccountStatuses, Protocol):
    """Ending a session deletes it."""

    def add(self, session: Session) -> None:
        ...

    def get_for_update(self, id_: int) -> Session | None:
        """Lock the session until the unit of work ends."""

    def of_account(self, account_id: int, now: datetime) -> Sequence[Session]:
        """Unexpired sessions, most recently used first."""

    def end(self, account_id: int, session_id: int) -> bool:
        """Return whether the session existed."""

    def end_all(self, account_id: int, *, keep: int | None = None) -> None:
        ...

    def keep_newest(self, account_id: int, number: int) -> None:
        """End all but the most recently used sessions."""

    def delete_over(self, now: datetime, limit: int) -> None:
        """Delete at most `limit` expired sessions of any account."""


class SessionUnitOfWork(UnitOfWork, Protocol):

    @property
    def sessions(self) -> SessionRepository:
        ...


class RefreshTokens(Protocol):

    def new_secret(self) -> str:
        ...

    def successors(self, secret: str) -> Sequence[str]:
        """Return the secrets that may follow this one, the current key's first."""

    def issue(self, token: RefreshToken, now: datetime) -> str:
        ...

    def read(self, token: str) -> RefreshToken:
        """Raises InvalidRefreshToken."""
