"""Creates, starts, connects to and stops one PostgreSQL server."""
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

from talelio_backend.development.embedded_postgres.programs import EmbeddedPostgresError, ProgramRunner

_USER = _DATABASE = 'talelio'

_SETTINGS = {
    'listen_addresses': '127.0.0.1',
    # Disabled: the path of a socket is limited to about 100 characters.
    'unix_socket_directories': '',
    'timezone': 'UTC',
    'log_timezone': 'UTC',
    'max_connections': '100',
    'shared_buffers': '32MB',
    'min_wal_size': '32MB',
    'max_wal_size': '256MB',
    # Fewer processes.
    'io_method': 'sync',
    'max_logical_replication_workers': '0',
}
# Only a crash of the machine loses data, not one of PostgreSQL.
_SETTINGS_WITHOUT_SYNC = {'fsync': 'off', 'full_page_writes': 'off'}


class Cluster:
    """The caller must ensure that only one process at a time uses it.

    `lock` is a descriptor that all processes of the server inherit and keep open.
    """

    def __init__(self, runner: ProgramRunner, *, durable: bool) -> None:
        self._runner = runner
        self._durable = durable
        self._password = runner.folder / 'password'
        self._log = runner.folder / 'server.log'
        self.data = runner.folder / 'data'

    def start(self, lock: int, timeout: float) -> None:
        """Start the server, and create its data first if necessary. It must not be running.

        Raises EmbeddedPostgresError if it is not ready within `timeout` seconds.
        """
        if (self.data / 'PG_VERSION').exists():
            self._check_data()
        else:
            self._create(lock)
        # PostgreSQL trusts this file even if the process id was reused.
        (self.data / 'postmaster.pid').unlink(missing_ok=True)
        if self._log.exists():
            self._log.replace(self._log.with_name('server.log.1'))
        settings = _SETTINGS | ({} if self._durable else _SETTINGS_WITHOUT_SYNC)
        options = ' '.join(f'-c {name}={value}' for name, value in settings.items())
        for _ in range(3):
            # Another program may take the port before PostgreSQL does.
            result = self._pg_ctl(
                'start',
                '-l',
                self._log,
                '-o',
                f'-p {_free_port()} {options}',
                timeout=timeout,
                keep_open=[lock]
            )
            if result.returncode == 0:
                return
        raise EmbeddedPostgresError(
            f'PostgreSQL did not start on {self.data}: {result.stderr.strip()}\n{self.log_tail()}'
        )

    def stop(self, timeout: float) -> None:
        self._pg_ctl('stop', '-m', 'fast', timeout=timeout)

    def connect(self) -> str:
        """Return the URL of the database. Raises psycopg2.Error if the server does not respond."""
        try:
            password = self._password.read_text(encoding='ascii')
        except FileNotFoundError as error:
            raise EmbeddedPostgresError(
                f'The password of the database in {self.data} is missing: restore {self._password}, '
                f'or move {self.data} away to start with an empty database.'
            ) from error
        server = f'{_USER}:{password}@127.0.0.1:{self._port()}'
        with closing(psycopg2.connect(f'postgresql://{server}/postgres', connect_timeout=5)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute('SELECT FROM pg_database WHERE datname = %s', (_DATABASE, ))
                if cursor.rowcount == 0:
                    cursor.execute(f'CREATE DATABASE {_DATABASE} TEMPLATE template0')
        return f'postgresql+psycopg2://{server}/{_DATABASE}'

    def log_tail(self) -> str:
        if not self._log.exists():
            return f'{self._log} does not exist.'
        lines = self._log.read_text(encoding='utf-8', errors='replace').splitlines()
        return '\n'.join([f'Last lines of {self._log}:', *lines[-20:]])

    def _pg_ctl(self, action: str, *options: str | Path, timeout: float,
                keep_open: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
        seconds = str(max(1, round(timeout)))
        return self._runner.run(
            self._runner.programs / 'pg_ctl',
            action,
            '-D',
            self.data,
            '-t',
            seconds,
            *options,
            keep_open=keep_open
        )

    def _create(self, lock: int) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise EmbeddedPostgresError(
                f'{self.data} is not empty, but contains no PostgreSQL database: move it away.'
            )
        # Renamed when complete, so that an interrupted initdb leaves no `data`.
        draft = self.data.with_name('data.new')
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        self._runner.give(draft)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(32), encoding='ascii')
        result = self._runner.run(
            self._runner.programs / 'initdb',
            '-D',
            draft,
            f'--username={_USER}',
            f'--pwfile={self._password}',
            '--auth=scram-sha-256',
            '--encoding=UTF8',
            # Available on every system.
            '--locale-provider=builtin',
            '--builtin-locale=C.UTF-8',
            '--locale=C',
            '--data-checksums',
            *([] if self._durable else ['--no-sync']),
            keep_open=[lock],
        )
        if result.returncode != 0:
            raise EmbeddedPostgresError(f'Cannot create a database in {self.data}:\n{result.stderr.strip()}')
        draft.rename(self.data)

    def _check_data(self) -> None:
        owner = self.data.stat().st_uid
        if owner != self._runner.owner:
            raise EmbeddedPostgresError(
                f'{self.data} belongs to user id {owner}, but PostgreSQL would run as '
                f'{self._runner.owner}: run this as the owner, or change the owner.'
            )
        made_by = (self.data / 'PG_VERSION').read_text(encoding='ascii').strip()
        response = self._runner.run(self._runner.programs / 'postgres', '--version').stdout
        installed = re.search(r'\d+', response)
        if installed is None or installed[0] != made_by:
            raise EmbeddedPostgresError(
                f'{self.data} was created by PostgreSQL {made_by}, but the installed version is '
                f'{response.strip()}. Migrate the data with pg_dump of version {made_by}, or move '
                'that folder away to start with an empty database.'
            )

    def _port(self) -> int:
        """Return 0, which refuses connections, while the server has not written its port."""
        try:
            return int((self.data / 'postmaster.pid').read_text(encoding='utf-8').splitlines()[3])
        except (FileNotFoundError, IndexError, ValueError):
            return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])
