import threading
from collections.abc import Iterator
from contextlib import contextmanager

from talelio_backend.shared.business.errors import Unavailable


class Turns:
    """Lets `at_once` callers do something slow, and `waiting` more wait for it up to `patience` seconds.

    Everybody else hears Unavailable at once: whoever waits holds one of the server's threads, and the
    requests that only read need some of them.
    """

    def __init__(self, what: str, *, at_once: int, waiting: int, patience: float) -> None:
        self._what = what
        self._patience = patience
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises Unavailable."""
        with self._acquired(self._places, 0), self._acquired(self._turns, self._patience):
            yield

    @contextmanager
    def _acquired(self, semaphore: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
        if not semaphore.acquire(timeout=seconds):
            raise Unavailable(f'Too many {self._what} at once, please try again', retry_after=5)
        try:
            yield
        finally:
            semaphore.release()
