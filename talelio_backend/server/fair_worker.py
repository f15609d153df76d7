"""Gunicorn's worker with threads, but that no worker takes the connections of all.

Every worker waits at the same socket, and Linux wakes them in the same order each time: as long as the first
is not busy, it takes whatever comes. Clients that keep their connections, as a proxy does, then have one
processor work for them while the others rest.
https://blog.cloudflare.com/the-sad-state-of-linux-socket-balancing/
"""
import mmap
import time
from socket import socket
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# Seconds for which one that has more connections than another lets that one go first.
_COURTESY = 0.0005


class Counts:
    """How many connections each worker has, in memory that all processes forked from this one see."""

    # In place of a number: more than anybody can have.
    _NOBODY, _TAKES_NONE = 2**32 - 1, 2**32 - 2

    def __init__(self) -> None:
        memory = mmap.mmap(-1, mmap.PAGESIZE)
        memory.write(b'\xff' * mmap.PAGESIZE)
        self._counts = memoryview(memory).cast('I')

    def enter(self) -> int:
        """Return a place that nobody has."""
        place = self._counts.tolist().index(self._NOBODY)
        self._counts[place] = 0
        return place

    def leave(self, place: int) -> None:
        self._counts[place] = self._NOBODY

    def notify(self, place: int, count: int | None) -> None:
        """None is for one that takes none any more, and still has what it has."""
        self._counts[place] = self._TAKES_NONE if count is None else count

    def is_more_than_least(self, count: int) -> bool:
        """Whether a worker has fewer."""
        return count > min(self._counts)


_counts = Counts()


class FairWorker(ThreadWorker):

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Here is still the process that all workers are forked from. Files of metrics bear this number, too.
        self.place = _counts.enter()
        super().__init__(*args, **kwargs)

    def accept(self, listener: socket) -> None:
        if _counts.is_more_than_least(self.nr_conns):
            # Whoever has fewer was woken as well. If they are too busy to come, it is taken here after all.
            time.sleep(_COURTESY)
        super().accept(listener)
        _counts.notify(self.place, self.nr_conns)

    def notify(self) -> None:
        # At each turn of the loop in which connections come and go.
        super().notify()
        _counts.notify(self.place, self.nr_conns if self.alive else None)

    def leave(self) -> None:
        """To be called in the process that all workers are forked from when this one has ended in any way."""
        _counts.leave(self.place)
