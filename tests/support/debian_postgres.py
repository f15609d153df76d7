"""PostgreSQL as Debian packages it, whose pgBackRest does not know the files of newer versions."""
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from talelio_backend.development.embedded_postgres.programs import EmbeddedPostgresError, choose_runner
from tests.support.missing import skip, skip_outside_ci
from tests.support.processes import family_of
from tests.support.sockets import closed_port
from tests.support.waiting import PATIENCE, wait_until


def find_debian_postgres() -> Path:
    """Return the folder with PostgreSQL's server, where pgBackRest is installed, too."""
    found = sorted(Path('/usr/lib/postgresql').glob('*/bin/postgres'), key=lambda file: int(file.parts[-3]))
    if not found or shutil.which('pgbackrest') is None:
        skip_outside_ci('no pgBackRest, or no PostgreSQL of its age', 'run .ci/install-programs')
    return found[-1].parent


class DebianPostgres:
    """A server that is started by a command for the image `postgres`, with the user `talelio`."""

    def __init__(self, folder: Path, command: Sequence[str], environ: Mapping[str, str]) -> None:
        programs = find_debian_postgres()
        try:
            runner = choose_runner(folder, programs.parent)
        except EmbeddedPostgresError as error:
            skip('no user for PostgreSQL', str(error))
        if runner.owner != os.geteuid():
            # pgBackRest would make files of root's.
            skip('no user namespaces', 'run the tests as another user than root')
        self.data = folder / 'data'
        self._log = folder / 'postgres.log'
        self._prefix = runner.prefix
        self._process: subprocess.Popen[bytes] | None = None
        with closed_port() as port:
            self.port = port
        local = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', f'port={port}']
        self._command = [*command, *local]
        self.environ = {
            **environ,
            'PATH': f'{programs}:{os.environ["PATH"]}',
            'LC_ALL': 'C',
            'PGDATA': str(self.data),
            'PGBACKREST_PG1_PATH': str(self.data),
            'PGHOST': '127.0.0.1',
            'PGPORT': str(port),
            'PGBACKREST_PG1_PORT': str(port),
            'PGUSER': 'talelio',
            'PGDATABASE': 'postgres',
        }
        self._run('initdb', '--username=talelio', '--auth=trust', '--no-sync')

    @property
    def url(self) -> str:
        return f'postgresql://talelio@127.0.0.1:{self.port}/postgres'

    def _run(self, *command: str) -> None:
        subprocess.run([*self._prefix, *command], env=self.environ, check=True, capture_output=True)

    def start(self) -> None:
        """Return when it accepts changes, which it does once it has recovered."""
        with self._log.open('ab') as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                [*self._prefix, *self._command], env=self.environ, stdout=log, stderr=log
            )
        wait_until(self._accepts_changes, 'PostgreSQL accepts changes')

    def _accepts_changes(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.log()
        asked = subprocess.run(['psql', '--no-psqlrc', '-Atc', 'SELECT pg_is_in_recovery()'],
                               env=self.environ,
                               capture_output=True,
                               text=True,
                               check=False)
        return asked.stdout.strip() == 'f'

    def stop(self) -> None:
        """Stop it as Docker does."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        if self._process is not None:
            for process in family_of(self._process.pid):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def _end(self, how: int) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    @property
    def stop_command(self) -> str:
        """For a shell. It returns once the server has ended."""
        file = shlex.quote(str(self.data / 'postmaster.pid'))
        return f'kill -INT "$(head -n 1 {file})"; while [ -e {file} ]; do sleep 0.05; done'

    def log(self) -> str:
        return self._log.read_text(encoding='utf-8')
