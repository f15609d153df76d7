"""Requests that come when they come, however long the ones before take."""
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

from tests.soak.verdict import Outcome
from tests.soak.visitors import Visitor

# Of a thousand requests: 95 reads to 4 writes to 1 login.
SHARES = {
    'list': 300,
    'list, gzip': 250,
    'project': 250,
    'not modified': 150,
    'publish': 15,
    'change': 15,
    'delete': 6,
    'upload': 2,
    'register': 2,
    'login': 10,
}


class Load:
    """At a rate a second, for so many seconds. Whoever of the visitors is free takes the next request.

    The time of a request counts from when it was due, also while nobody was free to send it.
    """

    def __init__(self, visitors: Sequence[Visitor], rate: float, seconds: float, *, seed: int = 1) -> None:
        self._visitors = visitors
        self._rate = rate
        self.seconds = seconds
        self._random = random.Random(seed)
        self._queue: SimpleQueue[tuple[float, str] | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._began = 0.0
        # Of CPython's lists, append is atomic.
        self.outcomes: list[Outcome] = []

    def clock(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def wait_until(self, seconds: float) -> None:
        self._stopping.wait(max(0.0, seconds - self.clock()))

    @contextmanager
    def running(self) -> Iterator[None]:
        """At the end of the block no more are sent, and those that are under way are waited for."""
        self._began = time.monotonic()
        threads = [threading.Thread(target=self._arrive)]
        threads += [threading.Thread(target=self._serve, args=(visitor, )) for visitor in self._visitors]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    def _arrive(self) -> None:
        kinds = self._kinds()
        due = 0.0
        while due < self.seconds and not self._stopping.is_set():
            self.wait_until(due)
            self._queue.put((due, next(kinds)))
            due += self._random.expovariate(self._rate)
        for _ in self._visitors:
            self._queue.put(None)

    def _kinds(self) -> Iterator[str]:
        kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
        while True:
            self._random.shuffle(kinds)
            yield from kinds

    def _serve(self, visitor: Visitor) -> None:
        while (arrival := self._queue.get()) is not None:
            due, kind = arrival
            self.outcomes.append(visitor.do(kind, due, self.clock))
        visitor.close()
