from types import TracebackType
from typing import Protocol, Self


class UnitOfWork(Protocol):
    """One transaction for each `with` block: rolled back on leaving it unless `commit` was called.

    A feature's own protocol adds the repositories that the feature needs, as read-only properties.
    Leaving the block raises Unavailable when the database did not answer or cut the work short, and
    Conflict when a changed row has been deleted by somebody else.
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
    """For what only reads: each question is answered as of its own moment.

    A feature's own protocol adds what it reads. Leaving the block raises Unavailable as a unit of work does.
    """

    def __enter__(self) -> Self:
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ...
