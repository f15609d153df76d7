"""The audit trail: who did what to which account, when and from where. It holds no password and no token.

What changes something is recorded in the change's own unit of work, so that neither is there without the
other; a refusal is recorded in one of its own.
What to log, and what never: https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
"""
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Protocol

from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.unit_of_work import UnitOfWork

# Rows of one transaction, so that pruning holds nobody up.
PRUNE_BATCH = 1000


class EventKind(StrEnum):
    """The names stay the same from release to release: scripts look for them."""

    ACCOUNT_CREATED = 'account.created'
    ACCOUNT_REGISTERED = 'account.registered'
    ACCOUNT_VERIFIED = 'account.verified'
    ACCOUNT_CLAIMED = 'account.claimed'
    ACCOUNT_DISABLED = 'account.disabled'
    ACCOUNT_ENABLED = 'account.enabled'
    ACCOUNT_DELETED = 'account.deleted'
    REGISTRATION_REFUSED = 'registration.refused'
    VERIFICATION_RENEWED = 'verification.renewed'
    LOGIN_SUCCEEDED = 'login.succeeded'
    # The password was wrong, or there is no such account.
    LOGIN_FAILED = 'login.failed'
    # The password was right, but the account may not log in.
    LOGIN_REFUSED = 'login.refused'
    # Also for an address that no account has.
    PASSWORD_RESET_REQUESTED = 'password.reset_requested'
    PASSWORD_RESET = 'password.reset'
    PASSWORD_CHANGED = 'password.changed'
    # Somebody who is logged in did not know the password.
    PASSWORD_PROOF_FAILED = 'password.proof_failed'
    EMAIL_CHANGE_REQUESTED = 'email.change_requested'
    EMAIL_CHANGED = 'email.changed'
    EMAIL_CHANGE_REVOKED = 'email.change_revoked'
    # A refresh token that was exchanged before came again, and the session was ended.
    REFRESH_TOKEN_REPLAYED = 'session.token_replayed'
    SESSION_ENDED = 'session.ended'
    ALL_SESSIONS_ENDED = 'session.all_ended'
    # From here on tries are refused, until a pause is over.
    LIMIT_REACHED = 'limit.reached'
    WHITELIST_ADDED = 'whitelist.added'
    WHITELIST_REMOVED = 'whitelist.removed'


@dataclass(eq=False, kw_only=True)
class SecurityEvent:
    id: int = field(init=False)
    occurred_at: datetime
    kind: EventKind
    # Whose account it is about. Only a number: the trail outlives the account.
    account_id: int | None
    # `account 7`, `operator maria`, `anonymous`
    actor: str
    # Forgotten after a while; the network stays.
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
    """How long the trail keeps what."""

    addresses: timedelta
    events: timedelta


class AuditTrail(Protocol):

    def add(self, event: SecurityEvent) -> None:
        ...

    def find(self, query: EventQuery) -> list[SecurityEvent]:
        """Newest first."""

    def forget_addresses(self, before: datetime, limit: int) -> int:
        """Leave of at most `limit` older events only the network. Return of how many."""

    def delete_before(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` older events. Return how many."""


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
    """Add an event to the unit of work that the trail belongs to.

    `by_account` says that whoever acted has proven to be the account's owner. `details` hold nothing that
    gives access, and nothing that a stranger typed: people type passwords into the wrong field.
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


def record_refusal(
    uow: AuditUnitOfWork,
    kind: EventKind,
    actor: Actor,
    now: datetime,
    *,
    account_id: int | None = None,
    details: Mapping[str, str | int] | None = None,
) -> None:
    """Record, in a transaction of its own, that something was refused."""
    with uow:
        record(uow.audit, kind, actor, now, account_id=account_id, details=details)
        uow.commit()


def network_of(address: str) -> str:
    """What is kept of an address: the first 24 bits of IPv4's, the first 48 of IPv6's.

    A provider hands out the rest to its customers, so it no longer tells who it was.
    """
    bits = 24 if ip_address(address).version == 4 else 48
    return str(ip_network(f'{address.partition("%")[0]}/{bits}', strict=False))


def find_events(uow: AuditUnitOfWork, query: EventQuery) -> list[SecurityEvent]:
    with uow:
        return uow.audit.find(query)


def prune(uow: AuditUnitOfWork, retention: Retention, now: datetime) -> int:
    """Forget some of what is older than it may be. Return how many events that was about."""
    with uow:
        pruned = uow.audit.delete_before(now - retention.events, PRUNE_BATCH)
        pruned += uow.audit.forget_addresses(now - retention.addresses, PRUNE_BATCH)
        uow.commit()
    return pruned
