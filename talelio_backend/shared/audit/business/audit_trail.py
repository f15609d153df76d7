"""The audit trail of accounts. It contains no passwords or tokens.

A change is recorded in its own unit of work, a refusal in a separate one.
https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
"""
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Protocol

from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.unit_of_work import UnitOfWork


class EventKind(StrEnum):
    """Stable names: scripts depend on them."""

    ACCOUNT_CREATED = 'account.created'
    ACCOUNT_REGISTERED = 'account.registered'
    ACCOUNT_VERIFIED = 'account.verified'
    # Verified with a password from the owner of the mailbox.
    ACCOUNT_CLAIMED = 'account.claimed'
    ACCOUNT_DISABLED = 'account.disabled'
    ACCOUNT_ENABLED = 'account.enabled'
    ACCOUNT_DELETED = 'account.deleted'
    REGISTRATION_REFUSED = 'registration.refused'
    VERIFICATION_RENEWED = 'verification.renewed'
    LOGIN_SUCCEEDED = 'login.succeeded'
    # Wrong password, or no such account.
    LOGIN_FAILED = 'login.failed'
    # Right password, but the account may not log in.
    LOGIN_REFUSED = 'login.refused'
    # Also without an account for the address.
    PASSWORD_RESET_REQUESTED = 'password.reset_requested'
    PASSWORD_RESET = 'password.reset'
    PASSWORD_CHANGED = 'password.changed'
    # Wrong password in an authenticated request.
    PASSWORD_PROOF_FAILED = 'password.proof_failed'
    EMAIL_CHANGE_REQUESTED = 'email.change_requested'
    EMAIL_CHANGED = 'email.changed'
    EMAIL_CHANGE_REVOKED = 'email.change_revoked'
    # A used refresh token was presented again, which ended the session.
    REFRESH_TOKEN_REPLAYED = 'session.token_replayed'
    SESSION_ENDED = 'session.ended'
    ALL_SESSIONS_ENDED = 'session.all_ended'
    # Further tries are refused until a pause is over.
    LIMIT_REACHED = 'limit.reached'
    WHITELIST_ADDED = 'whitelist.added'
    WHITELIST_REMOVED = 'whitelist.removed'


@dataclass(eq=False, kw_only=True)
class SecurityEvent:
    id: int = field(init=False)
    occurred_at: datetime
    kind: EventKind
    # The affected account. Not a foreign key: events outlive the account.
    account_id: int | None
    # `account 7`, `operator maria`, `anonymous`
    actor: str
    # Deleted earlier than the network.
    address: str | None
    network: str | None
    user_agent: str | None
    request_id: str | None
    details: dict[str, str | int]


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    account_id: int | None = None
    kind: EventKind | None = None
    since: datetime | None = None
    limit: int = 100


@dataclass(frozen=True, kw_only=True)
class Retention:

    addresses: timedelta
    events: timedelta


class AuditTrail(Protocol):

    def add(self, event: SecurityEvent) -> None:
        ...

    def find(self, query: EventQuery) -> list[SecurityEvent]:
        """Newest first."""

    def forget_addresses(self, before: datetime, limit: int) -> int:
        """Delete the addresses of at most `limit` older events. Return their number."""

    def delete_before(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` older events. Return their number."""


class AuditUnitOfWork(UnitOfWork, Protocol):

    @property
    def audit(self) -> AuditTrail:
        ...


def record(
    trail: AuditTrail,
    kind: EventKind,
    actor: Actor,
    now: datetime,
    *,
    account_id: int | None = None,
    by_account: bool = False,
    details: Mapping[str, str | int] | None = None,
) -> None:
    """Add an event to the trail's unit of work.

    `by_account` means that the owner of the account is authenticated. `details` must not contain secrets or
    input of anonymous clients: people type passwords into the wrong field.
    """
    trail.add(
        SecurityEvent(
            occurred_at=now,
            kind=kind,
            account_id=account_id,
            actor=f'account {account_id}' if by_account else actor.name,
            address=actor.address,
            network=None if actor.address is None else network_of(actor.address),
            user_agent=actor.user_agent,
            request_id=actor.request_id,
            details=dict(details or {}),
        )
    )


def network_of(address: str) -> str:
    """Return the /24 of an IPv4 address or the /48 of an IPv6 address, which does not identify a customer."""
    bits = 24 if ip_address(address).version == 4 else 48
    return str(ip_network(f'{address.partition("%")[0]}/{bits}', strict=False))
