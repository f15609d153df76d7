import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from talelio_backend.shared.business.errors import Unavailable


class BulkheadObserver:
    """Ignores everything; metrics override it."""

    def waiting(self) -> AbstractContextManager[object]:
        return nullcontext()

    def working(self) -> AbstractContextManager[object]:
        return nullcontext()

    def refused(self) -> None:
        pass


class Bulkhead:
    """Limits slow work to `at_once` callers; `waiting` more wait up to `timeout` seconds.

    Further callers get Unavailable at once, so that threads remain for requests that only read.
    """

    def __init__(
        self,
        what: str,
        *,
        at_once: int,
        waiting: int,
        timeout: float,
        observer: BulkheadObserver = BulkheadObserver(),
    ) -> None:
        self._what = what
        self._timeout = timeout
        self._observer = observer
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Raises Unavailable."""
        self._acquire(self._places, 0)
        try:
            with self._observer.waiting():
                self._acquire(self._turns, self._timeout)
            try:
                with self._observer.working():
                    yield
            finally:
                self._turns.release()
        finally:
            self._places.release()

    def _acquire(self, semaphore: threading.BoundedSemaphore, seconds: float) -> None:
        if not semaphore.acquire(timeout=seconds):
            self._observer.refused()
            raise Unavailable(f'Too many {self._what} at once, please try again', retry_after=5)
