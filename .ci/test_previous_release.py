"""Run the e2e suite of an earlier commit against the schema of this checkout.

Usage: test_previous_release.py COMMIT [ARGUMENT...]

COMMIT may be empty, see find_previous. The arguments are passed to pytest.

The previous release serves during the migrations of a release, and until the new code is rolled out. See
"Migrations" in CONTRIBUTING.md.
"""
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from talelio_backend.development.embedded_postgres import EmbeddedPostgres

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
MIGRATIONS = 'migrations/versions'
VARIABLE = 'TEST_POSTGRES_URL'
# These apply to this checkout only.
OWN_VARIABLES = ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'PYTHONPATH', 'VIRTUAL_ENV')


def git(*arguments: str) -> str:
    done = subprocess.run(['git', *arguments],
                          cwd=PROJECT_FOLDER,
                          stdout=subprocess.PIPE,
                          text=True,
                          check=True)
    return done.stdout.strip()


def find_previous(name: str) -> str:
    """Return the hash of `name`, of the newest tag, or else of the merge base with origin/main."""
    try:
        name = name or git('tag', '--merged', 'HEAD', '--sort=-creatordate').partition('\n')[0]
        name = name or git('merge-base', 'origin/main', 'HEAD')
        return git('rev-parse', '--verify', '--end-of-options', f'{name}^{{commit}}')
    except subprocess.CalledProcessError:
        sys.exit('FAILED: cannot find the previous release: name it with PREVIOUS=<tag or commit>')


def has_other_migrations(commit: str) -> bool:
    changed = git('diff', '--name-only', commit, '--', MIGRATIONS)
    return bool(changed or git('ls-files', '--others', '--exclude-standard', '--', MIGRATIONS))


def unpack(commit: str, folder: Path) -> None:
    # Not a worktree, since git would list an abandoned one forever.
    with subprocess.Popen(['git', 'archive', commit], cwd=PROJECT_FOLDER, stdout=subprocess.PIPE) as archive:
        subprocess.run(['tar', '--extract'], cwd=folder, stdin=archive.stdout, check=True)
    if archive.returncode:
        sys.exit(f'FAILED: git archive {commit}')
    if VARIABLE not in (folder / 'tests' / 'conftest.py').read_text(encoding='utf-8'):
        sys.exit(
            f'FAILED: the suite of {commit} does not support {VARIABLE}, so it would create its own schema. '
            'Name a later release.'
        )


def migrate(url: str, release: Path) -> None:
    """Migrate the database to this checkout's schema, and make it look up to date to the release."""
    config = Config(PROJECT_FOLDER / 'alembic.ini')
    config.attributes['database_url'] = url
    theirs = ScriptDirectory(str(release / 'migrations')).get_current_head()
    if theirs not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        sys.exit(f'FAILED: this checkout lacks migration {theirs} of that release: merge it first')
    command.upgrade(config, 'head')
    # Outside production, a server migrates its database at the start, and Alembic fails at an unknown
    # revision. The release's own suite shows that a production server accepts one.
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text('UPDATE alembic_version SET version_num = :theirs'), {'theirs': theirs})
    # The tests copy the database, which must not be in use then.
    engine.dispose()


def run_suite(release: Path, url: str, arguments: list[str]) -> int:
    environ = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    python = getattr(sys, '_base_executable', sys.executable)
    subprocess.run(['make', 'install', f'PYTHON={python}'], cwd=release, env=environ, check=True)
    logs = release.parent / 'logs'
    suite = ['.venv/bin/python', '-m', 'pytest', f'--basetemp={logs}', *arguments, 'tests/e2e']
    code = subprocess.run(suite, cwd=release, env=environ | {VARIABLE: url}, check=False).returncode
    if code:
        # The tests saw only a response of 500. The servers logged the reason.
        for error in sorted({error for log in logs.rglob('server.log') for error in database_errors(log)}):
            print('The database said:', error)
    return code


def database_errors(log: Path) -> list[str]:
    # In a JSON line, quotes and newlines are escaped.
    found = re.findall(r'psycopg2\.errors\.(\w+)\W+((?:\\"|[^\\\n])*)', log.read_text(encoding='utf-8'))
    return [f'{name}: {message}'.replace('\\"', '"') for name, message in found]


def main(name: str, *arguments: str) -> int:
    commit = find_previous(name)
    print('The previous release is', git('log', '-1', '--format=%h (%cs, %s)', commit), flush=True)
    if not has_other_migrations(commit):
        print('It has the same migrations as this checkout, so there is nothing to test.')
        return 0
    # Let a stopped run remove its server and folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with TemporaryDirectory(prefix='previous-release-') as folder:
        release = Path(folder) / 'release'
        release.mkdir()
        unpack(commit, release)
        with EmbeddedPostgres(Path(folder) / 'postgres', durable=False) as url:
            migrate(url, release)
            code = run_suite(release, url, list(arguments))
    if code:
        print(f'FAILED: {commit} would not work during the roll-out of this checkout')
    return code


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
