from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.app_account.business.domain.email_change import EmailChange
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork
from talelio_backend.shared.idempotency.business.claims import IdempotencyUnitOfWork


@dataclass(frozen=True)
class MailLink:
    """The content of a mailed link's token.

    The serial number invalidates used and superseded links. It is the account's link serial (verification)
    or token epoch (reset), or the id of an e-mail change.
    """

    account_id: int
    email: str
    serial: int


class LinkTokens(Protocol):
    """Issues and reads the links of one purpose."""

    def issue(self, link: MailLink, now: datetime) -> str:
        ...

    def read(self, token: str) -> MailLink:
        """Raises InvalidLink, or InvalidVerificationToken for verification links."""


class EmailChangeRepository(Protocol):

    def add(self, change: EmailChange) -> None:
        ...

    def get(self, id_: int) -> EmailChange | None:
        ...

    def of_account(self, account_id: int) -> Sequence[EmailChange]:
        """Oldest first."""

    def delete(self, change: EmailChange) -> None:
        ...


class EmailChangeUnitOfWork(AccountUnitOfWork, Protocol):

    @property
    def email_changes(self) -> EmailChangeRepository:
        ...


class FileClaims(Protocol):
    """The files that a user's rows refer to."""

    def lock(self, user_id: int) -> None:
        """Block new claims until the unit of work ends. Raises Unavailable."""

    def keys_of_user(self, user_id: int) -> Sequence[str]:
        ...


class AccountDeletionUnitOfWork(AccountUnitOfWork, IdempotencyUnitOfWork, Protocol):

    @property
    def images(self) -> FileClaims:
        ...


class OwnAccountUnitOfWork(EmailChangeUnitOfWork, AccountDeletionUnitOfWork, Protocol):
    """Covers the use cases of one's own account."""
