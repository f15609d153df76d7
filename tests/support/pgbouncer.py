"""The real PgBouncer in transaction mode: each transaction of a client may run in another session."""
import os
import shutil
import signal
import socket
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg2
from sqlalchemy import make_url

from talelio_backend.development.embedded_postgres.programs import choose_runner, find_installation
from tests.support.database import connect, execute
from tests.support.missing import skip_outside_ci
from tests.support.waiting import PATIENCE, wait_until

_CONFIG = """
[databases]
{database} = host={host} port={port} user={user} password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
admin_users = {user}
pool_mode = transaction
default_pool_size = {sessions}
# What a request waits for a session, and how often a server that is away is tried.
query_wait_timeout = 2
server_login_retry = 1
ignore_startup_parameters = {ignored}
"""


def find_pgbouncer() -> str:
    # Debian's is not in everybody's PATH.
    found = shutil.which('pgbouncer', path=os.environ['PATH'] + ':/usr/sbin')
    if found is None:
        skip_outside_ci('no pgbouncer', 'run .ci/install-programs, or install the package pgbouncer')
    return found


class PgBouncer:

    def __init__(self, folder: Path, database_url: str, *, ignored: str = '', sessions: int = 20) -> None:
        """`ignored` names parameters of connections that it ignores, instead of refusing the connection."""
        self._folder = folder
        self._command = find_pgbouncer()
        self._server = make_url(database_url)
        self._ignored = ignored
        self._sessions = sessions
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return self._server.set(host='127.0.0.1', port=self.port).render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start at the port of the last time, if any."""
        if not self.port:
            with socket.socket() as probe:
                probe.bind(('127.0.0.1', 0))
                self.port = int(probe.getsockname()[1])
        file = self._folder / 'pgbouncer.ini'
        config = _CONFIG.format(
            database=self._server.database,
            host=self._server.host,
            port=self._server.port,
            user=self._server.username,
            password=self._server.password,
            listen_port=self.port,
            sessions=self._sessions,
            ignored=self._ignored,
        )
        file.write_text(config, encoding='utf-8')
        # As PostgreSQL, it refuses to run as root.
        prefix = choose_runner(self._folder, find_installation()).prefix
        with (self._folder / 'pgbouncer.log').open('ab') as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                [*prefix, self._command, str(file)], stdout=log, stderr=log, start_new_session=True
            )
        process = self._process
        wait_until(lambda: process.poll() is not None or self._answers(), 'PgBouncer answers')
        assert process.poll() is None, (self._folder / 'pgbouncer.log').read_text(encoding='utf-8')

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def command(self, command: str) -> None:
        """Run a command of its console, such as RECONNECT."""
        with closing(connect(self.url, database='pgbouncer')) as console:
            execute(console, command)

    def _answers(self) -> bool:
        with suppress(psycopg2.OperationalError), closing(connect(self.url, database='pgbouncer')):
            return True
        return False
