"""Gunicorn's threaded worker, with balanced connections and without threads that wait for a request's head.

All workers wait on the same socket, and Linux wakes them in the same order: as long as the first one is not
busy, it accepts every connection. With persistent connections, such as a proxy's, one worker then does all
the work. https://blog.cloudflare.com/the-sad-state-of-linux-socket-balancing/
"""
import mmap
import time
from functools import partial
from selectors import EVENT_READ
from socket import socket
from typing import Any

from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from talelio_backend.server import slow_clients

# Seconds that a worker with more connections than another waits before it accepts one.
_DELAY = 0.0005


class Counts:
    """The number of connections of each worker, in memory shared with forked processes."""

    # Sentinels, larger than any count.
    _FREE, _STOPPING = 2**32 - 1, 2**32 - 2

    def __init__(self) -> None:
        memory = mmap.mmap(-1, mmap.PAGESIZE)
        memory.write(b'\xff' * mmap.PAGESIZE)
        self._counts = memoryview(memory).cast('I')

    def enter(self) -> int:
        """Return a free place."""
        place = self._counts.tolist().index(self._FREE)
        self._counts[place] = 0
        return place

    def leave(self, place: int) -> None:
        self._counts[place] = self._FREE

    def set(self, place: int, count: int | None) -> None:
        """None means that the worker accepts no more connections."""
        self._counts[place] = self._STOPPING if count is None else count

    def is_more_than_least(self, count: int) -> bool:
        """Whether another worker has fewer connections."""
        return count > min(self._counts)


_counts = Counts()


class FairWorker(ThreadWorker):

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # This runs in the master process. The metrics' files are named after the place, too.
        self.place = _counts.enter()
        super().__init__(*args, **kwargs)

    def accept(self, listener: socket) -> None:
        if _counts.is_more_than_least(self.nr_conns):
            # The other worker was woken, too. If it is too busy, this one accepts after all.
            time.sleep(_DELAY)
        super().accept(listener)
        _counts.set(self.place, self.nr_conns)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a request on to a thread once its head has come. `conn` is a `slow_clients.Connection`."""
        if conn.is_one_too_many:
            self.nr_conns -= 1
            conn.close()
        elif conn.reader.receive_head():
            super().enqueue_req(conn)
        elif conn.reader.buf.tell():
            conn.timeout = time.monotonic() + slow_clients.HEAD_TIMEOUT
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
        else:
            # As idle as one between two requests.
            conn.set_timeout()
            self.keepalived_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def on_pending_socket_readable(self, conn: Any, client: socket) -> None:
        if conn.reader.receive_head():
            super().on_pending_socket_readable(conn, client)

    def handle_quit(self, sig: int, frame: Any) -> None:
        # ThreadWorker's shuts the pool down, for which it takes a lock. A signal may interrupt this thread
        # while it holds that lock, and the worker would not end.
        Worker.handle_quit(self, sig, frame)

    def notify(self) -> None:
        # Called on each iteration of the worker's loop.
        super().notify()
        _counts.set(self.place, self.nr_conns if self.alive else None)

    def leave(self) -> None:
        """Free the place. The master process calls this after the worker has exited."""
        _counts.leave(self.place)
