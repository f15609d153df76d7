"""Runs a function on untrusted bytes in a child process with limited time and memory.

A process can be killed; a thread cannot, and Python runs no signal handlers during C code. The child is
reused, since starting Python and importing the module takes longer than most calls.

A bug in a parser may let the payload take over the child. Therefore only bytes are exchanged, and the child's
environment contains none of the parent's secrets.
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

START_SECONDS = 60

# An allow list: other variables contain secrets.
_ENVIRONMENT = ('LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'PYTHONHOME')
_MAIN = f'import sys; from {sandboxed_worker_child.__name__} import serve; serve(*sys.argv[1:])'


class WorkerFailed(Exception):
    """The function raised an unexpected exception or crashed.

    The message names the exception's type or the signal, and quotes nothing of the payload.
    """


class WorkerBusy(Exception):
    """No result, for reasons unrelated to the payload: a retry may succeed."""


class WorkerNotStarted(Exception):
    """The process did not start: a fault of the installation."""


class SandboxedWorker:
    """Calls `function`, given as `package.module:name`, which takes and returns bytes.

    `cpu_seconds` limits the CPU time of a call. `memory_bytes` is added to the memory of the imported module.
    `wall_seconds` limits the wait for the worker, and then the call; make it a multiple of the CPU time.

    Thread-safe: concurrent calls queue. Fork only before the first call.
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
        self._notify = notify
        self._arguments = (function, str(cpu_seconds), str(memory_bytes))
        self._memory_bytes = memory_bytes
        self._wall_seconds = wall_seconds
        self._lock = threading.Lock()
        self._child: _Child | None = None
        # By the monotonic clock.
        self._used = 0.0

    def call(self, payload: bytes) -> bytes:
        """Return the function's result.

        Raises LimitExceeded, WorkerFailed, WorkerBusy or WorkerNotStarted.
        """
        # `with` has no timeout.
        # pylint: disable-next=consider-using-with
        if not self._lock.acquire(timeout=self._wall_seconds):
            raise WorkerBusy
        try:
            return self._call(payload)
        except LimitExceeded:
            self._notify('limit')
            raise
        except WorkerBusy:
            self._notify('killed')
            raise
        except (WorkerFailed, WorkerNotStarted):
            self._notify('failed')
            raise
        finally:
            self._used = time.monotonic()
            self._lock.release()

    def end_if_idle(self, seconds: float) -> None:
        """End the child if its last call was `seconds` ago. A later call starts another."""
        # The lock is held during a call.
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
            # A late response must not reach the next caller.
            self._end_child()
            raise
        if kind == DONE:
            return content
        if kind == LIMIT:
            # Its heap may be too fragmented for the next payload.
            self._end_child()
            raise LimitExceeded
        raise WorkerFailed(content.decode(errors='replace'))

    def _running_child(self) -> '_Child':
        if self._child is None or not self._child.is_alive():
            self._end_child()
            try:
                self._child = _Child(*self._arguments)
            except OSError as error:
                # Out of memory, processes or descriptors.
                raise WorkerBusy from error
            self._notify('started')
        return self._child

    def _end_child(self) -> int:
        child, self._child = self._child, None
        return child.end() if child else 0


def _raise_for_death(exit_status: int) -> NoReturn:
    if exit_status == -signal.SIGPROF:
        raise LimitExceeded from None
    if exit_status in (-signal.SIGKILL, -signal.SIGTERM):
        # By an operator, or by the kernel's OOM killer.
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
        # Also runs at exit, and when the worker was not closed.
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
        """Kill and reap the process. Return its exit status, which may be of before the kill."""
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
        # Libraries may quote the payload there.
        stderr=subprocess.DEVNULL,
        # Ctrl-C must reach only the parent, which ends the child.
        start_new_session=True
    )


def _end(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    connection.close()
    process.kill()
    process.wait()
