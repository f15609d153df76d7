"""What decides whether `make test-previous-release` shows anything. Its run is too long for this suite."""
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT
from tests.support.database import connect, copy_of, execute


class Repository:
    """A project that holds the command and its migrations alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ('.ci', 'migrations'):
            shutil.copytree(
                PROJECT_FOLDER / name, folder / name, ignore=shutil.ignore_patterns('__pycache__')
            )
        (folder / 'tests').mkdir()
        self.git('init', '--quiet', '--initial-branch=main')

    def git(self, *arguments: str) -> None:
        identity = ['-c', 'user.name=someone', '-c', 'user.email=someone@example.com']
        subprocess.run(['git', *identity, *arguments], cwd=self.folder, check=True, timeout=TIMEOUT)

    def commit(self, conftest: str) -> None:
        (self.folder / 'tests' / 'conftest.py').write_text(conftest, encoding='utf-8')
        self.git('add', '.')
        self.git('commit', '--quiet', f'--message={conftest or "empty"}')

    def add_migration(self) -> None:
        (self.folder / 'migrations' / 'versions' / 'next.py').touch()

    def run(self, commit: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.folder / '.ci' / 'test_previous_release.py'), commit]
        environ = os.environ | {'PYTHONPATH': str(PROJECT_FOLDER)}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False
        )


@pytest.fixture(name='repository')
def _repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_without_a_new_migration_there_is_nothing_to_try(repository: Repository) -> None:
    repository.commit('first')
    result = repository.run('HEAD')

    assert result.returncode == 0
    assert 'It has the same migrations' in result.stdout


@pytest.mark.parametrize('committed', [False, True], ids=['not yet committed', 'committed'])
def test_a_release_whose_suite_would_not_see_the_schema_is_a_failure(
    repository: Repository, committed: bool
) -> None:
    repository.commit('first')
    repository.git('tag', 'v1')
    repository.add_migration()
    if committed:
        repository.commit('TEST_POSTGRES_URL')

    result = repository.run('v1')

    assert result.returncode == 1
    assert 'does not support TEST_POSTGRES_URL' in result.stdout


def test_by_default_it_is_the_newest_tag(repository: Repository) -> None:
    repository.commit('first')
    repository.git('tag', 'v1')
    repository.commit('second')

    assert ', first)' in repository.run('').stdout


def test_without_a_tag_it_is_where_the_branch_left_main(repository: Repository) -> None:
    repository.commit('first')
    repository.git('update-ref', 'refs/remotes/origin/main', 'HEAD')
    repository.commit('second')

    assert ', first)' in repository.run('').stdout


@pytest.mark.parametrize(
    'name', ['', 'v9', '--all'], ids=['none to be found', 'a name too many', 'an option']
)
def test_a_release_that_is_not_found_is_a_failure(repository: Repository, name: str) -> None:
    repository.commit('first')

    result = repository.run(name)

    assert result.returncode == 1
    assert 'FAILED: cannot find the previous release' in result.stdout


def test_what_the_database_said_is_shown_whole(tmp_path: Path) -> None:
    log = tmp_path / 'server.log'
    said = r'null value in column \"kind\" of relation \"projects\" violates not-null constraint\nDETAIL: …'
    log.write_text(rf'{{"error": "(psycopg2.errors.NotNullViolation) {said}"}}', encoding='utf-8')
    script = 'import sys; from pathlib import Path; from test_previous_release import database_errors; ' \
             'print(*database_errors(Path(sys.argv[1])))'
    environ = os.environ | {'PYTHONPATH': os.pathsep.join([str(PROJECT_FOLDER), str(PROJECT_FOLDER / '.ci')])}
    result = subprocess.run([sys.executable, '-c', script, str(log)],
                            env=environ,
                            stdout=subprocess.PIPE,
                            text=True,
                            timeout=TIMEOUT,
                            check=True)

    assert result.stdout == (
        'NotNullViolation: null value in column "kind" of relation "projects" violates not-null constraint\n'
    )


def test_the_tests_use_the_database_that_they_are_given(postgres_url: str, tmp_path: Path) -> None:
    """The suite of this commit will be the previous release's."""
    test = tmp_path / 'test_given.py'
    test.write_text(
        'from tests.support.database import connect, execute\n'
        'def test_it(database_url):\n'
        "    execute(connect(database_url), 'INSERT INTO from_the_future VALUES (1)')\n",
        encoding='utf-8'
    )
    settings = str(PROJECT_FOLDER / 'setup.cfg')
    plugins = ['-p', 'tests.conftest', '-p', 'no:cacheprovider']

    with copy_of(postgres_url) as given:
        with closing(connect(given)) as connection:
            execute(connection, 'CREATE TABLE from_the_future (id integer)')
        result = subprocess.run([sys.executable, '-m', 'pytest', '-c', settings, *plugins,
                                 str(test)],
                                cwd=PROJECT_FOLDER,
                                env=os.environ | {'TEST_POSTGRES_URL': given},
                                stdout=subprocess.PIPE,
                                text=True,
                                timeout=TIMEOUT,
                                check=False)

    assert '1 passed' in result.stdout, result.stdout
