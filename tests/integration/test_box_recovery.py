"""Recovery to any minute, by what postgresql/ and docker-compose.pitr.yml ship, as the guide says."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.support.box import compose, guide_block, run_as_owner, unescaped, write_program
from tests.support.database import connect, execute, select_one
from tests.support.debian_postgres import DebianPostgres
from tests.support.s3_servers import ACCESS_KEY_ID, SECRET_ACCESS_KEY, TlsRcloneServer
from tests.support.waiting import wait_until

FOLDER = PROJECT_FOLDER / 'postgresql'
SERVICES = compose('docker-compose.pitr.yml')['services']
COMMAND = [unescaped(word.replace('${ARCHIVE_MODE:-on}', 'on')) for word in SERVICES['postgres']['command']]
SATURDAY, SUNDAY, MONDAY = '2026-11-28', '2026-11-29', '2026-11-30'
SECRET = 'a row that nobody else may read'


class Box:
    """Its PostgreSQL, and its service `pitr`, with a bucket."""

    def __init__(self, folder: Path, s3: TlsRcloneServer) -> None:
        self.folder = folder
        self.bucket = s3.buckets / s3.make_bucket()
        port = s3.url.rpartition(':')[2]
        repository = {
            'BUCKET': self.bucket.name,
            'REGION': 'us-east-1',
            'ENDPOINT': '127.0.0.1',
            'URI_STYLE': 'path',
            'KEY': ACCESS_KEY_ID,
            'KEY_SECRET': SECRET_ACCESS_KEY,
        }
        given = {f'PGBACKREST_REPO1_S3_{name}': value for name, value in repository.items()}
        given['PGBACKREST_REPO1_CIPHER_PASS'] = 'correct horse battery'
        assert SERVICES['postgres']['environment'].keys() == given.keys()
        assert given.keys() < SERVICES['pitr']['environment'].keys()
        self.postgres = DebianPostgres(
            folder,
            COMMAND,
            given | {
                # Those of the Dockerfile, and of this machine.
                'PGBACKREST_STANZA': 'talelio',
                'PGBACKREST_CONFIG': str(FOLDER / 'pgbackrest.conf'),
                'PGBACKREST_LOCK_PATH': str(folder / 'lock'),
                'PGBACKREST_SPOOL_PATH': str(folder / 'spool'),
                'PGBACKREST_REPO1_STORAGE_PORT': port,
                # It looks for no address in a certificate, only for names.
                'PGBACKREST_REPO1_STORAGE_VERIFY_TLS': 'n',
                'PITR_FOLDER': str(folder),
            }
        )
        self._today = folder / 'today'
        self._log = folder / 'log'
        self._log.touch()
        self._clock = folder / 'clock'
        real_date, real_sleep = (shutil.which(name) for name in ('date', 'sleep'))
        write_program(
            self._clock / 'date', f'#!/bin/sh\nexec {real_date} -u -d "$(cat {self._today})" "$4"\n'
        )
        write_program(self._clock / 'sleep', f'#!/bin/sh\nexec {real_sleep} 0.05\n')

    def run(self, *command: str) -> str:
        """Run a command in the service `pitr`."""
        done = subprocess.run(
            command, env=self.postgres.environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def nightly(self, day: str) -> Iterator[None]:
        """Run the service for a while, on a day that it believes it is."""
        self.set_day(day)
        environ = self.postgres.environ | {'PATH': f'{self._clock}:{self.postgres.environ["PATH"]}'}
        command, = SERVICES['pitr']['command']
        with self._log.open('ab') as output, subprocess.Popen([FOLDER / command],
                                                              env=environ,
                                                              stdout=output,
                                                              stderr=output,
                                                              start_new_session=True) as process:
            try:
                yield
                assert process.poll() is None, self.log()
            finally:
                os.killpg(process.pid, signal.SIGKILL)

    def set_day(self, day: str) -> None:
        new = self.folder / 'tomorrow'
        new.write_text(day, encoding='ascii')
        new.replace(self._today)

    def log(self) -> str:
        return self._log.read_text(encoding='utf-8')

    @property
    def backups(self) -> list[dict[str, Any]]:
        """Oldest first."""
        stanza, = json.loads(self.run('pgbackrest', 'info', '--output=json', '--log-level-console=off'))
        backups: list[dict[str, Any]] = stanza['backup']
        return backups

    def back_up(self, *days: str) -> None:
        """Run the service until it has made a backup on each of these days."""
        mark = self.folder / 'pitr.prom'
        with self.nightly(days[0]):
            for day in days:
                mark.unlink(missing_ok=True)
                self.set_day(day)
                wait_until(mark.exists, f'backed up on {day}')

        # A backup's end is known in whole seconds, and a restore to the same second would not use it.
        ended = self.backups[-1]['timestamp']['stop']
        wait_until(lambda: time.time() >= ended + 1, 'the second is over')

    def restore(self, *, to: str | None) -> list[str]:
        """Type the guide's commands; return what Docker was told."""
        commands = guide_block('<!-- restore to a minute')
        if to is None:
            commands = commands.replace(' "$TO"', '')
        else:
            commands, replaced = re.subn(r"^TO='.*'$", f"TO='{to}'", commands, flags=re.MULTILINE)
            assert replaced == 1
        # Its server is started here, afterwards, since it ends with these commands otherwise.
        commands = re.sub(r'^docker compose exec -T api .*\n', '', commands, flags=re.MULTILINE)
        server = self.postgres
        write_program(self.folder / 'programs/compose-stop', f'#!/bin/sh\n{server.stop_command}\n')
        environ = server.environ | {'PATH': f'{FOLDER}:{server.environ["PATH"]}', 'RESTORED_IMAGES': ''}
        try:
            calls = run_as_owner(commands, self.folder, environ)
        finally:
            server.stop()
        server.start()
        return calls


@pytest.fixture(name='box')
def fixture_box(tmp_path: Path) -> Iterator[Box]:
    s3_folder = tmp_path / 's3'
    s3_folder.mkdir()
    with TlsRcloneServer(s3_folder) as s3:
        box = Box(tmp_path, s3)
        box.postgres.start()
        try:
            with closing(connect(box.postgres.url)) as database:
                execute(database, 'CREATE TABLE notes (id int PRIMARY KEY, text text NOT NULL)')
            yield box
        finally:
            print(box.log(), box.postgres.log())
            box.postgres.kill()


def write(box: Box, number: int, text: str) -> str:
    """Add a row, and return a time after it."""
    with closing(connect(box.postgres.url)) as database:
        execute(database, 'INSERT INTO notes VALUES (%s, %s)', number, text)
        return str(select_one(database, 'SELECT clock_timestamp()'))


def read(box: Box) -> list[tuple[int, str]]:
    with closing(connect(box.postgres.url)) as database, database.cursor() as cursor:
        cursor.execute('SELECT id, text FROM notes ORDER BY id')
        return cursor.fetchall()


def test_a_restore_returns_to_a_minute(box: Box) -> None:
    write(box, 1, SECRET)
    box.back_up(SATURDAY)
    target = write(box, 2, 'before the minute')
    write(box, 3, 'after the minute')
    with closing(connect(box.postgres.url)) as database:
        execute(database, 'DELETE FROM notes WHERE id = 1')
    assert read(box) == [(2, 'before the minute'), (3, 'after the minute')]

    calls = box.restore(to=target)

    assert [call.split()[1] for call in calls] == ['stop', 'run', 'up']
    assert read(box) == [(1, SECRET), (2, 'before the minute')]
    # It goes on from there, and what was before the restore is kept.
    write(box, 4, 'since the restore')
    box.run('pgbackrest', 'check')
    kept, = box.folder.glob('data.20*')
    assert (kept / 'PG_VERSION').is_file()


def test_a_lost_box_is_restored_from_the_bucket_alone(box: Box) -> None:
    write(box, 1, SECRET)
    box.back_up(SUNDAY, MONDAY)
    assert [backup['type'] for backup in box.backups] == ['full', 'incr']
    # AWS's alarms look for these words, and below.
    assert box.log().count('backup command end: completed successfully') == 2
    write(box, 2, 'since the backup')
    with closing(connect(box.postgres.url)) as database:
        segment = select_one(database, 'SELECT pg_walfile_name(pg_switch_wal())')
        archived = 'SELECT last_archived_wal FROM pg_stat_archiver'
        wait_until(lambda: select_one(database, archived) == segment, 'archived')
    box.postgres.kill()
    shutil.rmtree(box.postgres.data)

    box.restore(to=None)

    assert read(box) == [(1, SECRET), (2, 'since the backup')]
    objects = [path.read_bytes() for path in box.bucket.rglob('*') if path.is_file()]
    assert objects
    # OpenSSL's mark; what is encrypted and compressed holds no text to look for.
    assert all(content.startswith(b'Salted__') for content in objects)


def test_a_restore_that_fails_leaves_the_data_as_it_was(box: Box) -> None:
    write(box, 1, SECRET)
    running = subprocess.run([FOLDER / 'pitr-restore'],
                             env=box.postgres.environ,
                             capture_output=True,
                             text=True,
                             check=False)
    assert (running.returncode, running.stderr) == (1, 'PostgreSQL runs: stop it first.\n')

    with pytest.raises(subprocess.CalledProcessError):
        # There is no backup yet.
        box.restore(to='2026-11-30 14:05:00+00')

    assert 'RESTORE FAILED' in (box.folder / 'output').read_text(encoding='utf-8')
    assert 'archive command failed' in box.postgres.log()
    box.postgres.start()
    assert read(box) == [(1, SECRET)]


def test_at_most_five_minutes_are_lost() -> None:
    plain = [unescaped(word) for word in compose()['services']['postgres']['command']]

    assert COMMAND[:len(plain)] == plain
    assert COMMAND[len(plain):] == [
        '-c', 'archive_mode=on', '-c', 'archive_timeout=300', '-c',
        'archive_command=pgbackrest archive-push %p'
    ]
