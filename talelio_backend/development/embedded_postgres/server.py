"""Shares one server per folder between processes: the first starts it, the last stops it.

Only locks (flock) track the users, since the kernel releases them however a process ends:

- `users.lock`: shared; held by every user.
- `start.lock`: exclusive; held while a process acquires or releases the server.
- `server.lock`: inherited by PostgreSQL's processes. If it is free, none of them is left, whatever
  postmaster.pid says.
"""
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psycopg2

from talelio_backend.development.embedded_postgres.cluster import Cluster
from talelio_backend.development.embedded_postgres.programs import (
    EmbeddedPostgresError,
    RunnerFactory,
    choose_runner,
    find_installation,
)

_PAUSE = 0.02  # seconds


class EmbeddedPostgres:
    """A PostgreSQL server with its data in one folder.

    `timeout` limits the seconds of a start, a stop and a wait for another process. Not thread-safe. In a
    forked process, `release` does nothing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        timeout: float = 60,
        way: RunnerFactory = choose_runner
    ) -> None:
        self._folder = folder.resolve()
        self._durable = durable
        self._timeout = timeout
        self._way = way
        self._cluster: Cluster | None = None
        self._users = -1
        self._user_process = 0

    def acquire(self) -> str:
        """Start the server if necessary. Return a SQLAlchemy URL. Raises EmbeddedPostgresError."""
        installation = find_installation()
        with self._wrapped_errors():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._exclusive():
                self._cluster = Cluster(self._way(self._folder, installation), durable=self._durable)
                url = self._attach_or_start(self._cluster)
                if self._user_process != os.getpid():
                    self._join_users()
        return url

    def release(self) -> None:
        """Stop the server unless it is in use. Raises EmbeddedPostgresError if it does not stop."""
        if self._cluster is None or self._user_process != os.getpid():
            return
        self._user_process = 0
        try:
            with self._wrapped_errors(), self._exclusive():
                if _try_lock(self._users):
                    self._stop(self._cluster)
        finally:
            _unlock(self._users)

    def __enter__(self) -> str:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _join_users(self) -> None:
        users = self._open('users.lock')
        if not _try_lock(users, self._timeout, fcntl.LOCK_SH):
            os.close(users)
            raise EmbeddedPostgresError(
                f'A fork of a process that was killed holds {self._folder / "users.lock"}: end it.'
            )
        self._users, self._user_process = users, os.getpid()

    def _attach_or_start(self, cluster: Cluster) -> str:
        give_up = time.monotonic() + self._timeout
        while True:
            # Held by any remaining process of a server.
            server = self._open('server.lock')
            try:
                must_start = _try_lock(server)
                if must_start:
                    cluster.start(server, self._timeout)
            finally:
                # Close without unlocking: the server shares the lock.
                os.close(server)
            try:
                return cluster.connect()
            except psycopg2.Error as error:
                if must_start:
                    cluster.stop(self._timeout)
                    raise EmbeddedPostgresError(
                        f'PostgreSQL started on {cluster.data}, but refuses connections: {error}'
                    ) from error
                if time.monotonic() > give_up:
                    raise EmbeddedPostgresError(
                        f'A PostgreSQL that uses {cluster.data} did not respond within '
                        f'{self._timeout:g} seconds: {error}\n{cluster.log_tail()}'
                    ) from error
            time.sleep(_PAUSE)

    def _stop(self, cluster: Cluster) -> None:
        server = self._open('server.lock')
        try:
            if _try_lock(server):
                return  # Already stopped.
            cluster.stop(self._timeout)
            if not _try_lock(server, self._timeout):
                raise EmbeddedPostgresError(
                    f'PostgreSQL did not stop on {cluster.data}.\n{cluster.log_tail()}'
                )
        finally:
            os.close(server)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        start = self._open('start.lock')
        try:
            # Earlier processes may each start or stop the server.
            if not _try_lock(start, 3 * self._timeout):
                raise EmbeddedPostgresError(
                    f'Another process has been starting or stopping the PostgreSQL in '
                    f'{self._folder} for {3 * self._timeout:g} seconds.'
                )
            yield
        finally:
            _unlock(start)

    @contextmanager
    def _wrapped_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EmbeddedPostgresError(f'Cannot use PostgreSQL in {self._folder}: {error}') from error

    def _open(self, name: str) -> int:
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int, seconds: float = 0, kind: int = fcntl.LOCK_EX) -> bool:
    give_up = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def _unlock(descriptor: int) -> None:
    # Closing is not enough: forks have copies of the descriptor.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
