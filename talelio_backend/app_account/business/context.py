from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.domain.password_policy import check_password
from talelio_backend.app_account.business.ports import (
    AccountUnitOfWork,
    LinkPurpose,
    LinkTokens,
    PasswordHasher,
    RefreshTokens,
)
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.mail.business.outbox import OutboxMail


@dataclass(frozen=True, kw_only=True)
class AccountPorts:
    hasher: PasswordHasher
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    links: Mapping[LinkPurpose, LinkTokens]
    # Canonical addresses.
    whitelist: Container[str]
    common_passwords: Container[str]
    # Deletes a user's files by their keys. The sweep retries files that the store fails to delete.
    free_files: Callable[[int, Sequence[str]], None]


@dataclass(frozen=True, kw_only=True)
class AccountContext:
    """The arguments that the use cases of accounts share."""

    uow: AccountUnitOfWork
    ports: AccountPorts
    actor: Actor
    now: datetime

    def record(
        self,
        kind: EventKind,
        account_id: int | None,
        *,
        by_account: bool = False,
        details: Mapping[str, str] | None = None
    ) -> None:
        """Add an event to the current transaction; see `audit_trail.record`."""
        record(
            self.uow.audit,
            kind,
            self.actor,
            self.now,
            account_id=account_id,
            by_account=by_account,
            details=details
        )

    def record_refusal(
        self, kind: EventKind, account_id: int | None, details: Mapping[str, str] | None = None
    ) -> None:
        """Record an event in a transaction of its own."""
        with self.uow:
            self.record(kind, account_id, details=details)
            self.uow.commit()

    def queue_mail(self, kind: str, **payload: int) -> None:
        """Add a mail to the outbox in the current transaction."""
        self.uow.outbox.add(OutboxMail.queue(kind, payload, self.now))

    def hash_password(self, password: str, *, email: str, username: str) -> str:
        """Raises WeakPassword, Unavailable."""
        common_passwords = self.ports.common_passwords
        check_password(password, common_passwords=common_passwords, email=email, username=username)
        return self.ports.hasher.hash(password)
