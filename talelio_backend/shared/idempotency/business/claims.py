"""A request that may be sent again, under a key of the client's, and is carried out once.

After https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/. The key is claimed in a
transaction of its own; the answer is written into the claim by the very transaction that does the work.
"""
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from talelio_backend.shared.business.errors import Conflict, Unprocessable
from talelio_backend.shared.business.unit_of_work import UnitOfWork

RETENTION = timedelta(hours=24)
# How long others wait for somebody who may have died. One who lives on longer is not disturbed, unless
# somebody else comes with the same key; then the work of only one of them is committed.
LEASE = timedelta(minutes=1)
# Seconds; most requests are done by then.
_TRY_AGAIN_AFTER = 2


class KeyReused(Unprocessable):
    code = 'idempotency_key_reused'

    def __init__(self) -> None:
        super().__init__('This Idempotency-Key was used for another request')


class KeyInUse(Conflict):
    code = 'idempotency_key_in_use'
    retry_after = _TRY_AGAIN_AFTER

    def __init__(self) -> None:
        super().__init__('The request with this Idempotency-Key is still being worked on')


@dataclass(frozen=True, kw_only=True)
class StoredResponse:
    status: int
    headers: dict[str, str]
    content: bytes


@dataclass(eq=False, kw_only=True)
class IdempotencyClaim:
    """Says that a key is somebody's, and once their work is done, what they were answered."""

    id: int = field(init=False)
    # Whose key it is: the same one from somebody else is another.
    scope: str
    key: str
    # Tells one request from another, and nothing about what is in it.
    fingerprint: str
    # Who works on it.
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
    def answer(self) -> StoredResponse | None:
        if self.status is None:
            return None
        return StoredResponse(status=self.status, headers=self.headers or {}, content=self.content or b'')

    def keep(self, answer: StoredResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.content = answer.content

    def is_free(self, now: datetime) -> bool:
        """Whether it binds nobody any more: too old, or left by somebody who did not come to an end."""
        return self.expires_at <= now or self.status is None and self.lease_ends_at <= now

    def hand_over(self, to: 'IdempotencyClaim') -> None:
        self.fingerprint = to.fingerprint
        self.holder = to.holder
        self.lease_ends_at = to.lease_ends_at
        self.expires_at = to.expires_at
        self.status = self.headers = self.content = None


class IdempotencyClaims(Protocol):

    def get_or_add(self, wanted: IdempotencyClaim) -> IdempotencyClaim:
        """Return the claim of this scope and key, this one or an earlier, locked against others."""

    def get_for_update(self, id_: int) -> IdempotencyClaim | None:
        """Return the claim, locked against others until the unit of work ends."""

    def delete(self, claimed: IdempotencyClaim) -> None:
        ...

    def delete_of_scope(self, scope: str) -> None:
        """Whatever becomes of who works on them."""

    def delete_expired(self, now: datetime, limit: int) -> int:
        """Leave those that somebody holds locked. Return how many went."""


class IdempotencyUnitOfWork(UnitOfWork, Protocol):

    @property
    def idempotency_claims(self) -> IdempotencyClaims:
        ...


# More than one, so that the table shrinks again after a busy day.
_CLEANUP_BATCH = 20

# Rows of one transaction, so that pruning holds nobody up.
PRUNE_BATCH = 1000


def scope_of(account_id: int) -> str:
    return f'account {account_id}'


def claim(uow: IdempotencyUnitOfWork, wanted: IdempotencyClaim, now: datetime) -> IdempotencyClaim:
    """Return the claim that was wanted, or an earlier one with its answer. Raises KeyReused, KeyInUse."""
    with uow:
        uow.idempotency_claims.delete_expired(now, _CLEANUP_BATCH)
        there = uow.idempotency_claims.get_or_add(wanted)
        if there.holder != wanted.holder:
            if not there.is_free(now):
                if there.fingerprint != wanted.fingerprint:
                    raise KeyReused()
                if there.answer is None:
                    raise KeyInUse()
                return there
            there.hand_over(wanted)
        uow.commit()
        return there


def store_response(uow: IdempotencyUnitOfWork, claimed: IdempotencyClaim, answer: StoredResponse) -> None:
    """Write the answer into the claim, in the unit of work that is about to commit what it tells of.

    Raises KeyInUse when somebody else has taken the claim over: what was done must not be committed then.
    """
    there = uow.idempotency_claims.get_for_update(claimed.id)
    if there is None or there.holder != claimed.holder or there.answer is not None:
        raise KeyInUse()
    there.keep(answer)


def release(uow: IdempotencyUnitOfWork, claimed: IdempotencyClaim) -> None:
    """Make the key as good as new, unless the work was committed after all."""
    with uow:
        there = uow.idempotency_claims.get_for_update(claimed.id)
        if there is not None and there.holder == claimed.holder and there.answer is None:
            uow.idempotency_claims.delete(there)
            uow.commit()


def prune(uow: IdempotencyUnitOfWork, now: datetime) -> int:
    """Also where no key comes any more, what people were answered is not kept for longer than was said."""
    with uow:
        pruned = uow.idempotency_claims.delete_expired(now, PRUNE_BATCH)
        uow.commit()
    return pruned
