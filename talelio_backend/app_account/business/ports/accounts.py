from collections.abc import Sequence
from typing import Protocol

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.whitelist_entry import WhitelistEntry
from talelio_backend.app_account.business.ports.sessions import SessionUnitOfWork
from talelio_backend.app_user.business.ports import UserUnitOfWork
from talelio_backend.shared.audit.business.audit_trail import AuditUnitOfWork
from talelio_backend.shared.mail.business.outbox import OutboxUnitOfWork


class AccountRepository(Protocol):

    def add(self, account: Account) -> None:
        """Raises EmailTaken, UsernameTaken."""

    def save(self, account: Account) -> None:
        """Flush a changed account to detect conflicts. Raises EmailTaken, UsernameTaken."""

    def get(self, id_: int) -> Account | None:
        ...

    def get_for_update(self, id_: int) -> Account | None:
        """Lock the account until the unit of work ends."""

    def get_by_email(self, email: str) -> Account | None:
        """`email` is canonical."""

    def all(self) -> Sequence[Account]:
        """Oldest first."""

    def delete(self, account: Account) -> None:
        """Delete the account and all of its data."""


class WhitelistRepository(Protocol):

    def add(self, entry: WhitelistEntry) -> None:
        """Raises Conflict."""

    def get_by_email(self, email: str) -> WhitelistEntry | None:
        """`email` is canonical."""

    def get_by_email_for_update(self, email: str) -> WhitelistEntry | None:
        """Lock the entry until the unit of work ends."""

    def delete(self, entry: WhitelistEntry) -> None:
        ...

    def all(self) -> Sequence[WhitelistEntry]:
        """Sorted by address."""


class AccountUnitOfWork(OutboxUnitOfWork, SessionUnitOfWork, AuditUnitOfWork, UserUnitOfWork, Protocol):

    @property
    def accounts(self) -> AccountRepository:
        ...

    @property
    def whitelist(self) -> WhitelistRepository:
        ...


class PasswordHasher(Protocol):
    """`hash` and `verify` are slow on purpose. They raise Unavailable when too many callers wait."""

    def hash(self, password: str) -> str:
        ...

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Take the same time for right passwords, wrong passwords and a missing hash."""

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with a lower cost than the current one."""
