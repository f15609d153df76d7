from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.app_account.business.domain.email_change import EmailChange
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork
from talelio_backend.shared.idempotency.business.claims import IdempotencyUnitOfWork


@dataclass(frozen=True)
class MailLink:
    """What the token of a mailed link says: whose account, which address, and one number.

    The number is what makes the link good once: the account's epoch, or the id of a change.
    """

    account_id: int
    email: str
    serial: int


class LinkTokens(Protocol):
    """The links of one purpose."""

    def issue(self, link: MailLink, now: datetime) -> str:
        ...

    def read(self, token: str) -> MailLink:
        """Raises InvalidLink."""


class EmailChangeRepository(Protocol):

    def add(self, change: EmailChange) -> None:
        ...

    def get(self, id_: int) -> EmailChange | None:
        ...

    def of_account(self, account_id: int) -> Sequence[EmailChange]:
        """The oldest first."""

    def delete(self, change: EmailChange) -> None:
        ...


class EmailChangeUnitOfWork(AccountUnitOfWork, Protocol):

    @property
    def email_changes(self) -> EmailChangeRepository:
        ...


class FileClaims(Protocol):
    """Which files the rows of a user claim."""

    def lock(self, user_id: int) -> None:
        """Let no claim be added until the unit of work ends. Raises Unavailable."""

    def keys_of_user(self, user_id: int) -> Sequence[str]:
        ...


class LeavingUnitOfWork(AccountUnitOfWork, IdempotencyUnitOfWork, Protocol):

    @property
    def images(self) -> FileClaims:
        ...


class OwnAccountUnitOfWork(EmailChangeUnitOfWork, LeavingUnitOfWork, Protocol):
    """What the use cases of one's own account see together."""
