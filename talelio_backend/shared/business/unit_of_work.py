from contextlib import AbstractContextManager
from typing import Any, Protocol, Self


class UnitOfWork(AbstractContextManager[Any, None], Protocol):
    """One transaction per `with` block. Leaving the block without `commit` rolls it back.

    Each feature's protocol adds the repositories it needs as read-only properties. Leaving the block raises
    Unavailable if the database did not respond or aborted the transaction, and Conflict if another
    transaction deleted a changed row.
    """

    def __enter__(self) -> Self:
        ...

    def commit(self, result: object = None) -> None:
        """Commit. The same transaction may store `result`, which the use case is about to return.

        See `shared.idempotency.presentation.idempotency_key`.
        """


class ReadSession(AbstractContextManager[Any, None], Protocol):
    """Read-only access without a transaction: each query sees the data at its own time.

    Each feature's protocol adds what it reads. Leaving the block raises Unavailable as a unit of work does.
    """

    def __enter__(self) -> Self:
        ...
