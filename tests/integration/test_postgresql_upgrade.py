"""postgresql/upgrade, from the older to the newer major version of PostgreSQL in the package."""
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from talelio_backend.development.embedded_postgres.programs import (
    EmbeddedPostgresError,
    ProgramRunner,
    choose_runner,
    find_installation,
)
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.database import connect, execute, select_one
from tests.support.migrated_cluster import migrate
from tests.support.missing import skip
from tests.support.sockets import closed_port

SCRIPT = PROJECT_FOLDER / 'postgresql' / 'upgrade'
PASSWORD = '0123456789abcdef'


class Volume:
    """What a box keeps in the volume `postgres`, and both majors' programs."""

    def __init__(self, folder: Path) -> None:
        newest = find_installation()
        self.programs = folder / 'programs'
        self.programs.mkdir()
        self.data = folder / 'volume'
        self.majors: list[str] = []
        for installation in newest.parent.glob('pginstall*'):
            version = subprocess.run([installation / 'bin' / 'postgres', '--version'],
                                     capture_output=True,
                                     text=True,
                                     check=True).stdout
            major = re.findall(r'\d+', version)[0]
            self.majors.append(major)
            (self.programs / major).symlink_to(installation)
        self.majors.sort(key=int)
        if len(self.majors) < 2:
            skip('only one major version of PostgreSQL', 'run make install')
        try:
            self._runner: ProgramRunner = choose_runner(folder, newest)
        except EmbeddedPostgresError as error:
            skip('no user for PostgreSQL', str(error))
        self.data.mkdir()
        self._runner.give(self.data)
        password = folder / 'password'
        password.write_text(PASSWORD, encoding='ascii')
        self._run(
            self._program(self.majors[0], 'initdb'), f'--pgdata={self.folder(self.majors[0])}',
            '--username=talelio', f'--pwfile={password}', '--auth-local=trust', '--auth-host=scram-sha-256',
            '--no-sync', '--locale=C.UTF-8', '--encoding=UTF8'
        )  # yapf: disable

    def folder(self, major: str) -> Path:
        return self.data / major / 'docker'

    def _program(self, major: str, name: str) -> Path:
        return self.programs / major / 'bin' / name

    def _run(self, *command: str | Path) -> None:
        completed = self._runner.run(*command)
        assert completed.returncode == 0, completed.stdout + completed.stderr

    @contextmanager
    def server(self, major: str) -> Iterator[str]:
        """Run it, and give its URL."""
        with closed_port() as port:
            pass
        options = f'-h 127.0.0.1 -p {port} -k "" -c fsync=off'
        log = self.data / f'{major}.log'
        control: list[str
                      | Path] = [self._program(major, 'pg_ctl'), f'--pgdata={self.folder(major)}', '--wait']
        self._run(*control, f'--options={options}', f'--log={log}', 'start')
        try:
            yield f'postgresql+psycopg2://talelio:{PASSWORD}@127.0.0.1:{port}/postgres'
        finally:
            self._run(*control, '--mode=fast', 'stop')

    def dump(self, major: str, url: str) -> Path:
        """By the programs of this version."""
        file = self.data / 'talelio.dump'
        self._run(self._program(major, 'pg_dump'), '--format=custom', f'--file={file}', libpq(url))
        return file

    def restore(self, major: str, url: str, dump: Path) -> str:
        """Into a database of its own; return its URL."""
        restored = make_url(url).set(database='restored').render_as_string(hide_password=False)
        self._run(
            self._program(major, 'createdb'), f'--maintenance-db={libpq(url)}', '--template=template0',
            'restored'
        )
        self._run(
            self._program(major, 'pg_restore'), f'--dbname={libpq(restored)}', '--no-owner',
            '--exit-on-error', '--single-transaction', dump
        )
        return restored

    def upgrade(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._runner.prefix, SCRIPT, *self.majors[-2:]],
                              env={
                                  'PATH': os.environ['PATH'],
                                  'PROGRAMS': str(self.programs),
                                  'DATA': str(self.data),
                              },
                              capture_output=True,
                              text=True,
                              check=False)


def libpq(url: str) -> str:
    return url.replace('+psycopg2', '')


@pytest.fixture(name='volume')
def _volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def test_a_major_version_is_upgraded_and_the_old_data_stay(volume: Volume) -> None:
    old, new = volume.majors[-2:]
    with volume.server(old) as url:
        refused = volume.upgrade()
        migrate(url)
        with closing(connect(url)) as database:
            execute(
                database, "INSERT INTO whitelist (email, note, added_at) VALUES ('ä@example.com', '', now())"
            )
        dump = volume.dump(old, url)
    completed = volume.upgrade()
    assert completed.returncode == 0, completed.stdout + completed.stderr
    again = volume.upgrade()

    assert (refused.returncode, again.returncode) == (1, 1)
    assert 'stop it first' in refused.stderr and 'exists' in again.stderr
    with volume.server(new) as url:
        # The other way, which takes longer and rebuilds the indexes.
        restored = volume.restore(new, url, dump)
        with closing(connect(restored)) as database:
            assert select_one(database, 'SELECT email FROM whitelist') == 'ä@example.com'
    for major in (new, old):
        with volume.server(major) as url, closing(connect(url)) as database:
            assert select_one(database, 'SHOW server_version').startswith(major)
            assert select_one(database, 'SELECT email FROM whitelist') == 'ä@example.com'
            assert select_one(database, 'SELECT datcollate FROM pg_database LIMIT 1') == 'C.UTF-8'
            # A password is asked for as before.
            with pytest.raises(Exception, match='password authentication failed'):
                connect(make_url(url).set(password='other').render_as_string(hide_password=False))
