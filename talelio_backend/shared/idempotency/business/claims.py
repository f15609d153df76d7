"""Claims of idempotency keys, which ensure that a repeated request is executed once.

See https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/. A separate transaction claims
the key; the use case's own transaction stores the response in the claim.
"""
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from talelio_backend.shared.business.errors import Conflict, Unprocessable
from talelio_backend.shared.business.repository import Repository
from talelio_backend.shared.business.unit_of_work import UnitOfWork

RETENTION = timedelta(hours=24)
# After this time another request may take over a claim. Only one of them can commit.
LEASE = timedelta(minutes=1)
# Seconds; most requests have finished by then.
_TRY_AGAIN_AFTER = 2


class KeyReused(Unprocessable):
    code = 'idempotency_key_reused'
    message = 'This Idempotency-Key was used for another request'


class KeyInUse(Conflict):
    code = 'idempotency_key_in_use'
    retry_after = _TRY_AGAIN_AFTER
    message = 'The request with this Idempotency-Key is still being worked on'


@dataclass(frozen=True, kw_only=True)
class StoredResponse:
    status: int
    headers: dict[str, str]
    content: bytes


@dataclass(eq=False, kw_only=True)
class IdempotencyClaim:
    """A claimed key, with the response once the request is finished."""

    id: int = field(init=False)
    # The owner of the key; keys are unique per scope.
    scope: str
    key: str
    # A keyed hash of the request.
    fingerprint: str
    # Identifies the request that executes the use case.
    holder: UUID = field(default_factory=uuid4)
    lease_ends_at: datetime
    expires_at: datetime
    status: int | None = None
    headers: dict[str, str] | None = None
    content: bytes | None = None

    @classmethod
    def make(cls, *, scope: str, key: str, fingerprint: str, now: datetime) -> 'IdempotencyClaim':
        return cls(
            scope=scope,
            key=key,
            fingerprint=fingerprint,
            lease_ends_at=now + LEASE,
            expires_at=now + RETENTION,
        )

    @property
    def response(self) -> StoredResponse | None:
        if self.status is None:
            return None
        return StoredResponse(status=self.status, headers=self.headers or {}, content=self.content or b'')

    def store(self, response: StoredResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.content = response.content

    def is_free(self, now: datetime) -> bool:
        """Whether it has expired, or its request was abandoned."""
        return self.expires_at <= now or self.status is None and self.lease_ends_at <= now

    def transfer_to(self, other: 'IdempotencyClaim') -> None:
        self.fingerprint = other.fingerprint
        self.holder = other.holder
        self.lease_ends_at = other.lease_ends_at
        self.expires_at = other.expires_at
        self.status = self.headers = self.content = None


class IdempotencyClaims(Repository[IdempotencyClaim, int], Protocol):

    def get_or_add(self, wanted: IdempotencyClaim) -> IdempotencyClaim:
        """Lock and return the claim with this scope and key, either this one or an earlier one."""

    def delete_of_scope(self, scope: str) -> None:
        """Also delete claims of requests in progress."""

    def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` expired claims, skipping locked ones. Return their number."""


class IdempotencyUnitOfWork(UnitOfWork, Protocol):

    @property
    def idempotency_claims(self) -> IdempotencyClaims:
        ...


_CLEANUP_BATCH = 20


def scope_of(account_id: int) -> str:
    return f'account {account_id}'


def claim(uow: IdempotencyUnitOfWork, wanted: IdempotencyClaim, now: datetime) -> IdempotencyClaim:
    """Return the wanted claim, or an earlier one with its response. Raises KeyReused, KeyInUse."""
    with uow:
        uow.idempotency_claims.delete_expired(now, _CLEANUP_BATCH)
        existing = uow.idempotency_claims.get_or_add(wanted)
        if existing.holder != wanted.holder:
            if not existing.is_free(now):
                if existing.fingerprint != wanted.fingerprint:
                    raise KeyReused()
                if existing.response is None:
                    raise KeyInUse()
                return existing
            existing.transfer_to(wanted)
        uow.commit()
        return existing


def store_response(uow: IdempotencyUnitOfWork, claimed: IdempotencyClaim, response: StoredResponse) -> None:
    """Store the response in the claim, in the unit of work of the use case.

    Raises KeyInUse if another request has taken over the claim; the work must not be committed then.
    """
    existing = uow.idempotency_claims.get_for_update(claimed.id)
    if existing is None or existing.holder != claimed.holder or existing.response is not None:
        raise KeyInUse()
    existing.store(response)


def release(uow: IdempotencyUnitOfWork, claimed: IdempotencyClaim) -> None:
    """Release the key, unless the work was committed after all."""
    with uow:
        existing = uow.idempotency_claims.get_for_update(claimed.id)
        if existing is not None and existing.holder == claimed.holder and existing.response is None:
            uow.idempotency_claims.delete(existing)
            uow.commit()
