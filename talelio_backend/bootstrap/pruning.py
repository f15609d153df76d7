from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from talelio_backend.shared.audit.business.audit_trail import Retention
from talelio_backend.shared.idempotency.business.claims import IdempotencyUnitOfWork
from talelio_backend.shared.mail.business import outbox
from talelio_backend.shared.rate_limits.business.limits import LimitsUnitOfWork

# Rows per transaction, so that pruning blocks nobody for long.
_BATCH = 1000


class PrunedUnitOfWork(LimitsUnitOfWork, IdempotencyUnitOfWork, outbox.OutboxUnitOfWork, Protocol):
    pass


def prune(uow: PrunedUnitOfWork, retention: Retention, now: datetime) -> int:
    """Apply the retention to a batch of each kind of rows. Return the number of affected rows."""
    deletions: tuple[Callable[[], int], ...] = (
        lambda: uow.audit.delete_before(now - retention.events, _BATCH),
        lambda: uow.audit.forget_addresses(now - retention.addresses, _BATCH),
        lambda: uow.counters.delete_expired(now, _BATCH),
        lambda: uow.idempotency_claims.delete_expired(now, _BATCH),
        lambda: uow.outbox.delete_done(now - outbox.RETENTION, _BATCH),
    )
    pruned = 0
    for delete in deletions:
        with uow:
            pruned += delete()
            uow.commit()
    return pruned
