"""The box of docker-compose.yml without Docker: what its services run and its owner types, run here."""
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from sqlalchemy import make_url

from talelio_backend.development.embedded_postgres.programs import EmbeddedPostgresError, find_installation
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.missing import skip

GUIDE = PROJECT_FOLDER / '.github/DEPLOYING_ON_A_BOX.md'

# Of the programs in PostgreSQL's image.
_POSTGRES_PROGRAMS = ('createdb', 'dropdb', 'pg_dump', 'pg_restore', 'psql')
_SYSTEM_PROGRAMS = (
    'bash', 'comm', 'cp', 'date', 'find', 'flock', 'install', 'sort', 'stat', 'sync', 'tar', 'xargs'
)

# Docker Compose's part in the owner's commands: what they run in a container is run here.
_DOCKER = r'''#!/usr/bin/env bash
set -o errexit -o nounset
echo "$*" >> "$DOCKER_CALLS"
[[ $1 == compose ]]
verb=$2
shift 2
entrypoint=()
while [[ ${1-} == -* ]]; do
  if [[ $1 == --entrypoint=* ]]; then entrypoint=("${1#*=}"); fi
  shift
done
case $verb in
  stop | up) if hook=$(command -v "compose-$verb"); then "$hook"; fi ;;
  exec | run)
    shift
    cd "$PROJECT_FOLDER"
    "${entrypoint[@]}" "${@//\/data\/images/$RESTORED_IMAGES}" ;;
  *) exit 64 ;;
esac
'''

# How long the nightly loop rests, in place of ten minutes.
_SLEEP = '#!/usr/bin/env bash\nexec "$REAL_SLEEP" 0.05\n'


def compose(name: str = 'docker-compose.yml') -> dict[str, Any]:
    text = (PROJECT_FOLDER / name).read_text(encoding='utf-8')
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def unescaped(text: str) -> str:
    """As Docker Compose hands it on: a `$` that it is not to replace is doubled in its file."""
    assert not re.search(r'(?<!\$)(\$\$)*\$(?!\$)', text), 'a single $ would be replaced'
    return text.replace('$$', '$')


def guide_block(mark: str, guide: Path = GUIDE) -> str:
    """The block of code of the owner's guide that comes after this text."""
    _, found, rest = guide.read_text(encoding='utf-8').partition(mark)
    assert found, f'the guide has no {mark!r}'
    block = re.search(r'```sh\n(.*?)```\n', rest, re.DOTALL)
    assert block
    return block[1]


def postgres_programs() -> Path:
    """Where PostgreSQL's client programs are."""
    missing = [name for name in _SYSTEM_PROGRAMS if shutil.which(name) is None]
    if missing:
        skip(f'no {", ".join(missing)}', 'install bash, coreutils, findutils, tar and util-linux')
    try:
        folder = find_installation() / 'bin'
    except EmbeddedPostgresError as error:
        skip('no PostgreSQL programs', str(error))
    missing = [name for name in _POSTGRES_PROGRAMS if not (folder / name).is_file()]
    if missing:
        skip(f'no {", ".join(missing)} in {folder}', 'run make install')
    return folder


class BackupService:
    """The service `backup`: the script, health check and environment that docker-compose.yml gives it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder / 'backups'
        self.images = folder / 'pictures'
        self.temporary_folder = folder / 'tmp'
        for each in (self.folder, self.images, self.temporary_folder):
            each.mkdir()
        programs = folder / 'programs'
        write_program(programs / 'sleep', _SLEEP)
        service = compose()['services']['backup']
        self._script = [unescaped(word) for word in service['entrypoint']]
        kind, *self._health_check = [unescaped(word) for word in service['healthcheck']['test']]
        assert kind == 'CMD'
        here = {
            'BACKUPS': str(self.folder),
            'IMAGES': str(self.images),
            'TMPDIR': str(self.temporary_folder),
            'DATABASE_URL': database_url,
        }
        given = service['environment']
        assert set(here) <= set(given)
        self.environ: dict[str, str] = given | here | {
            'PATH': f'{programs}:{postgres_programs()}:{os.environ["PATH"]}',
            'REAL_SLEEP': shutil.which('sleep') or '',
        }

    def use_port(self, port: int) -> None:
        """Of the database."""
        url = make_url(self.environ['DATABASE_URL']).set(port=port)
        self.environ['DATABASE_URL'] = url.render_as_string(hide_password=False)

    @property
    def backups(self) -> list[Path]:
        """Oldest first; nothing else is in their folder but a lock and a mark."""
        return sorted(path for path in self.folder.iterdir() if path.name not in ('.lock', 'backup.prom'))

    def run(self, *, limited_by: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Make one backup."""
        return subprocess.run([*limited_by, *self._script, 'now'],
                              env=self.environ,
                              capture_output=True,
                              text=True,
                              timeout=60,
                              check=False)

    def back_up(self) -> Path:
        """Make one, which must go well, and return it."""
        before = self.backups
        completed = self.run()
        assert completed.returncode == 0, completed.stderr
        new, = set(self.backups) - set(before)
        return new

    @contextmanager
    def nightly(self, log: Path) -> Iterator[None]:
        """Run the service for a while."""
        with log.open('wb') as output, subprocess.Popen(
            [*self._script, *compose()['services']['backup']['command']],
            env=self.environ,
            stdout=output,
            stderr=output,
            # A process group of its own, so that its resting ends with it.
            start_new_session=True,
        ) as process:
            try:
                yield
                assert process.poll() is None, log.read_text(encoding='utf-8')
            finally:
                os.killpg(process.pid, signal.SIGKILL)

    @property
    def is_healthy(self) -> bool:
        checked = subprocess.run(
            self._health_check, env=self.environ, capture_output=True, timeout=20, check=False
        )
        assert not checked.stderr, checked.stderr
        return checked.returncode == 0


def run_as_owner(commands: str, folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Type commands of the guide; return what Docker was told to do. Output is in `folder/output`."""
    write_program(folder / 'programs/docker', _DOCKER)
    calls = folder / 'calls'
    with (folder / 'output').open('wb') as output:
        subprocess.run(
            ['bash', '-euo', 'pipefail', '-c', commands],
            env={
                **environ,
                'PATH': f'{folder / "programs"}:{environ["PATH"]}',
                'DOCKER_CALLS': str(calls),
                'PROJECT_FOLDER': str(PROJECT_FOLDER),
            },
            cwd=folder,
            stdout=output,
            stderr=output,
            timeout=120,
            check=True,
        )
    return calls.read_text(encoding='utf-8').splitlines()


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding='utf-8')
    path.chmod(0o755)
