"""Runs a function on bytes that nobody vouches for, in a process of bounded time and memory.

A thread cannot be stopped, and Python runs no signal handler while C code works; a process can be
killed. The child is kept from call to call, since to start Python and import the function's module
costs more than most calls do.

A fault in a parser may hand the child to whoever wrote the payload. So nothing but bytes goes
between the two, and the child's environment holds none of the parent's secrets.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import NoReturn

from talelio_backend.shared.workers import sandboxed_worker_child
from talelio_backend.shared.workers.sandboxed_worker_child import (
    DONE,
    LIMIT,
    READY,
    RUN,
    LimitExceeded,
    receive,
    send,
)

__all__ = ['SandboxedWorker', 'LimitExceeded', 'WorkerBusy', 'WorkerFailed', 'WorkerNotStarted']

# Whatever the machine does meanwhile, an import takes no longer.
START_SECONDS = 60

# All that an interpreter in an unusual place needs. It is a list of what to let through, since the
# rest holds secrets.
_ENVIRONMENT = ('LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'PYTHONHOME')
_MAIN = f'import sys; from {sandboxed_worker_child.__name__} import serve; serve(*sys.argv[1:])'


class WorkerFailed(Exception):
    """The function raised what it should not have, or brought its process down.

    It says what the exception's type or the signal was, and nothing of the payload.
    """


class WorkerBusy(Exception):
    """No answer now, through no fault of the payload: trying again can help."""


class WorkerNotStarted(Exception):
    """The process did not come up: a fault of the installation, not of any payload."""


class SandboxedWorker:
    """Calls `function`, as in `package.module:name`, which takes bytes and returns bytes.

    `cpu_seconds` is what one call may compute, however slowly a busy machine lets it.
    `memory_bytes` comes on top of what the imported module takes. `wall_seconds` bounds the wait
    for the worker, and again the call: a last resort, so make it several times the CPU time.

    Safe to share between threads, whose calls queue. Processes that fork must do so before the first call.
    """

    def __init__(
        self,
        function: str,
        *,
        cpu_seconds: float,
        memory_bytes: int,
        wall_seconds: float,
        notify: Callable[[str], None] = lambda event: None
    ) -> None:
        """`notify` receives `started` for a new child; `limit`, `killed` or `failed` for a failed call."""
        self._tell = notify
        self._arguments = (function, str(cpu_seconds), str(memory_bytes))
        self._memory_bytes = memory_bytes
        self._wall_seconds = wall_seconds
        self._lock = threading.Lock()
        self._child: _Child | None = None
        # By the monotonic clock.
        self._used = 0.0

    def call(self, payload: bytes) -> bytes:
        """Return what the function makes of the payload.

        Raises LimitExceeded, WorkerFailed, WorkerBusy or WorkerNotStarted.
        """
        # `with` has no time limit.
        # pylint: disable-next=consider-using-with
        if not self._lock.acquire(timeout=self._wall_seconds):
            raise WorkerBusy
        try:
            return self._call(payload)
        except LimitExceeded:
            self._tell('limit')
            raise
        except WorkerBusy:
            self._tell('killed')
            raise
        except (WorkerFailed, WorkerNotStarted):
            self._tell('failed')
            raise
        finally:
            self._used = time.monotonic()
            self._lock.release()

    def end_if_idle(self, seconds: float) -> None:
        """End the child, unless it was called within so many seconds. A later call starts another."""
        # Whoever holds the lock calls it just now.
        # pylint: disable-next=consider-using-with
        if self._lock.acquire(blocking=False):
            try:
                if time.monotonic() - self._used >= seconds:
                    self._end_child()
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the child. A later call would start another."""
        with self._lock:
            self._end_child()

    def _call(self, payload: bytes) -> bytes:
        child = self._running_child()
        try:
            kind, content = child.exchange(payload, seconds=self._wall_seconds, largest=self._memory_bytes)
        except TimeoutError:
            self._end_child()
            raise LimitExceeded from None
        except (EOFError, OSError):
            _raise_for_death(self._end_child())
        except BaseException:
            # The answer may still be under way, and must not go to the next caller.
            self._end_child()
            raise
        if kind == DONE:
            return content
        if kind == LIMIT:
            # Its heap may be left in pieces, and too small for a good payload.
            self._end_child()
            raise LimitExceeded
        raise WorkerFailed(content.decode(errors='replace'))

    def _running_child(self) -> '_Child':
        if self._child is None or not self._child.is_alive():
            self._end_child()
            try:
                self._child = _Child(*self._arguments)
            except OSError as error:
                # No memory, process or descriptor to be had now.
                raise WorkerBusy from error
            self._tell('started')
        return self._child

    def _end_child(self) -> int:
        child, self._child = self._child, None
        return child.end() if child else 0


def _raise_for_death(exit_status: int) -> NoReturn:
    if exit_status == -signal.SIGPROF:
        raise LimitExceeded from None
    if exit_status in (-signal.SIGKILL, -signal.SIGTERM):
        # By an operator, or by a kernel that is short of memory.
        raise WorkerBusy from None
    if exit_status < 0:
        raise WorkerFailed(signal.strsignal(-exit_status) or f'signal {-exit_status}') from None
    raise WorkerFailed(f'exit status {exit_status}') from None


class _Child:
    """The parent's end of one process."""

    def __init__(self, *arguments: str) -> None:
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(theirs, arguments)
        except BaseException:
            self._socket.close()
            raise
        # Also at exit, and when nobody closed the worker.
        self._finalizer = weakref.finalize(self, _end, self._process, self._socket)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        try:
            kind, content = receive(self._socket, 1 << 16, time.monotonic() + START_SECONDS)
        except (EOFError, OSError) as error:
            raise WorkerNotStarted(f'exit status {self.end()}') from error
        except BaseException:
            self.end()
            raise
        if kind != READY:
            self.end()
            raise WorkerNotStarted(content.decode(errors='replace'))

    def exchange(self, payload: bytes, *, seconds: float, largest: int) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + seconds
        send(self._socket, RUN, payload, deadline)
        return receive(self._socket, largest, deadline)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> int:
        """Kill and reap the process, and return its exit status as of before that."""
        self._finalizer()
        return self._process.returncode


def _start(theirs: socket.socket, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment['PYTHONPATH'] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    return subprocess.Popen(  # pylint: disable=consider-using-with
        [sys.executable, '-P', '-B', '-c', _MAIN, str(theirs.fileno()), *arguments],
        pass_fds=(theirs.fileno(),),
        env=environment,
        cwd='/',
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # What a library writes there before it aborts may quote the payload.
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for the parent, which ends the child in its own time.
        start_new_session=True
    )


def _end(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    connection.close()
    process.kill()
    process.wait()
