"""What the use cases of accounts need from outside."""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from talelio_backend.app_account.business.domain.account import Account, EmailChange, WhitelistEntry
from talelio_backend.app_account.business.domain.session import RefreshToken, Session
from talelio_backend.app_user.business.ports import UserUnitOfWork
from talelio_backend.shared.audit.business.audit_trail import AuditUnitOfWork
from talelio_backend.shared.business.identity import Tokens
from talelio_backend.shared.business.repository import Repository
from talelio_backend.shared.business.unit_of_work import ReadSession
from talelio_backend.shared.idempotency.business.claims import IdempotencyUnitOfWork
from talelio_backend.shared.mail.business.outbox import OutboxUnitOfWork


class AccountRepository(Repository[Account, int], Protocol):
    """`add` and `save` raise EmailTaken, UsernameTaken. `delete` also deletes all data of the account."""

    def get_by_email(self, email: str) -> Account | None:
        """`email` is canonical."""

    def all(self) -> Sequence[Account]:
        """Oldest first."""


class WhitelistRepository(Repository[WhitelistEntry, int], Protocol):
    """`add` raises Conflict."""

    def get_by_email(self, email: str) -> WhitelistEntry | None:
        """`email` is canonical."""

    def get_by_email_for_update(self, email: str) -> WhitelistEntry | None:
        """Lock the entry until the unit of work ends."""

    def all(self) -> Sequence[WhitelistEntry]:
        """Sorted by address."""


class EmailChangeRepository(Repository[EmailChange, int], Protocol):

    def of_account(self, account_id: int) -> Sequence[EmailChange]:
        """Oldest first."""


class SessionRepository(Repository[Session, int], Protocol):
    """Ending a session deletes it."""

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


class FileClaims(Protocol):
    """The files that a user's rows refer to."""

    def lock(self, user_id: int) -> None:
        """Block new claims until the unit of work ends. Raises Unavailable."""

    def keys_of_user(self, user_id: int) -> Sequence[str]:
        ...


class AccountUnitOfWork(OutboxUnitOfWork, AuditUnitOfWork, IdempotencyUnitOfWork, UserUnitOfWork, Protocol):

    @property
    def accounts(self) -> AccountRepository:
        ...

    @property
    def whitelist(self) -> WhitelistRepository:
        ...

    @property
    def email_changes(self) -> EmailChangeRepository:
        ...

    @property
    def sessions(self) -> SessionRepository:
        ...

    @property
    def images(self) -> FileClaims:
        ...


@dataclass(frozen=True)
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


class PasswordHasher(Protocol):
    """`hash` and `verify` are slow on purpose. They raise Unavailable when too many callers wait."""

    def hash(self, password: str) -> str:
        ...

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Take the same time for right passwords, wrong passwords and a missing hash."""

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with a lower cost than the current one."""


class RefreshTokens(Tokens[RefreshToken], Protocol):
    """`read` raises InvalidRefreshToken."""

    def new_secret(self) -> str:
        ...

    def successors(self, secret: str) -> Sequence[str]:
        """Return the secrets that may follow this one, the current key's first."""


class LinkPurpose(StrEnum):
    """What a mailed link does. It is a part of the token, so it must not change."""

    VERIFICATION = 'verification'
    RESET = 'reset'
    EMAIL_CONFIRMATION = 'email-confirmation'
    EMAIL_REVOCATION = 'email-revocation'


@dataclass(frozen=True)
class MailLink:
    """The content of a mailed link's token.

    The serial number invalidates used and superseded links. It is the account's link serial (verification)
    or token epoch (reset), or the id of an e-mail change.
    """

    account_id: int
    email: str
    serial: int


# They raise InvalidLink, or InvalidVerificationToken for verification links.
LinkTokens: TypeAlias = Tokens[MailLink]
