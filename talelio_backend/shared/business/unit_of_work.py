from types import TracebackType
from typing import Protocol, Self


class UnitOfWork(Protocol):
    """One transaction per `with` block. Leaving the block without `commit` rolls it back.

    Each feature's protocol adds the repositories it needs as read-only properties. Leaving the block raises
    Unavailable if the database did not respond or aborted the transaction, and Conflict if another
    transaction deleted a changed row.
    """

    def __enter__(self) -> Self:
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ...

    def commit(self, result: object = None) -> None:
        """Commit. The same transaction may store `result`, which the use case is about to return.

        See `shared.idempotency.presentation.idempotency_key`.
        """


class ReadSession(Protocol):
    """Read-only access without a transaction: each query sees the data at its own time.

    Each feature's protocol adds what it reads. Leaving the block raises Unavailable as a unit of work does.
    """

    def __enter__(self) -> Self:
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ...
