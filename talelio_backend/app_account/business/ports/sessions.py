from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.app_account.business.domain.session import RefreshToken, Session
from talelio_backend.shared.business.unit_of_work import ReadSession, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class AccountStatus:
    """How an account stands at the moment, towards one who has a token of it."""

    user_id: int
    epoch: int
    disabled: bool
    # Whether the session that was asked about is there; without one, whether none was asked about.
    session_active: bool


class AccountStatuses(Protocol):

    def account_status(self, account_id: int, session_id: int | None) -> AccountStatus | None:
        """Return None where there is no such account."""


class AccountStatusReadSession(ReadSession, Protocol):

    @property
    def sessions(self) -> AccountStatuses:
        ...


class SessionRepository(AccountStatuses, Protocol):
    """A session that has ended is not there any more."""

    def add(self, session: Session) -> None:
        ...

    def get_for_update(self, id_: int) -> Session | None:
        """Return the session, locked against others until the unit of work ends."""

    def of_account(self, account_id: int, now: datetime) -> Sequence[Session]:
        """Those that are not over, the most recently used first."""

    def end(self, account_id: int, session_id: int) -> bool:
        """Whether there was one."""

    def end_all(self, account_id: int, *, keep: int | None = None) -> None:
        ...

    def keep_newest(self, account_id: int, number: int) -> None:
        """End all but the most recently used ones."""

    def delete_over(self, now: datetime, limit: int) -> None:
        """Delete at most so many sessions, of anybody, whose time is over."""


class SessionUnitOfWork(UnitOfWork, Protocol):

    @property
    def sessions(self) -> SessionRepository:
        ...


class RefreshTokens(Protocol):

    def new_secret(self) -> str:
        ...

    def successors(self, secret: str) -> Sequence[str]:
        """The secrets that may follow this one, first the one that is to follow it now."""

    def issue(self, token: RefreshToken, now: datetime) -> str:
        ...

    def read(self, token: str) -> RefreshToken:
        """Raises InvalidRefreshToken."""
