"""A pull request is held up by what it adds, and by what nobody has looked at."""
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT, Run

SCRIPTS = PROJECT_FOLDER / '.ci'


@pytest.fixture(name='change')
def _change(tmp_path: Path) -> Path:
    """A repository whose branch `head` adds flask 3.1 and renews Py_YAML to 7.0, after main went on."""
    repository = tmp_path / 'repository'
    repository.mkdir()

    def git(*arguments: str) -> None:
        identity = ['-c', 'user.name=someone', '-c', 'user.email=someone@example.com']
        subprocess.run(['git', *identity, *arguments], cwd=repository, check=True, timeout=TIMEOUT)

    def commit(**packages: str) -> None:
        versions = {name: {'version': f'=={version}'} for name, version in packages.items()}
        lock = {'default': versions, 'develop': {'pytest': {'version': '==9.0'}}}
        (repository / 'Pipfile.lock').write_text(json.dumps(lock), encoding='utf-8')
        git('add', '.')
        git('commit', '--quiet', '--message=change')

    git('init', '--quiet', '--initial-branch=base')
    commit(Py_YAML='6.0', boto3='1.0')
    git('switch', '--quiet', '--create=head')
    commit(Py_YAML='7.0', boto3='1.0', flask='3.1')
    git('switch', '--quiet', 'base')
    commit(Py_YAML='6.0', boto3='2.0')
    return repository


def of_lock(name: str, version: str, kind: str = 'added', **others: Any) -> dict[str, Any]:
    """A change as GitHub tells of it."""
    return {
        'change_type': kind,
        'manifest': 'Pipfile.lock',
        'name': name,
        'version': version,
        'vulnerabilities': [],
    } | others


VULNERABILITY = {
    'severity': 'high',
    'advisory_summary': 'It can be made to run code',
    'advisory_url': 'https://github.com/advisories/GHSA-0'
}
REVIEWED = [of_lock('py-yaml', '6.0', 'removed'), of_lock('py-yaml', '7.0'), of_lock('flask', '3.1')]


def review(run: Run, change: Path, *pages: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    # The stand-in goes by its second argument, which here is an option.
    command = [sys.executable, SCRIPTS / 'review_dependencies.py', 'base', 'head']
    return run({'--paginate': list(pages)}, *command, cwd=change)


def test_new_dependencies_without_a_known_vulnerability_pass(run: Run, change: Path, tmp_path: Path) -> None:
    result = review(run, change, REVIEWED[:2], REVIEWED[2:])

    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == ['new: flask 3.1', 'new: py-yaml 7.0']
    assert 'repos/someone/something/dependency-graph/compare/base...head' in (tmp_path / 'calls').read_text()


def test_a_vulnerability_in_what_is_added_is_a_failure_wherever_it_is(run: Run, change: Path) -> None:
    action = of_lock('some/action', '1', manifest='.github/workflows/ci.yml', vulnerabilities=[VULNERABILITY])

    result = review(run, change, [*REVIEWED, action])

    assert result.returncode == 1
    assert 'some/action 1: high, It can be made to run code (https://' in result.stdout


def test_a_vulnerability_in_what_is_removed_is_none(run: Run, change: Path) -> None:
    removed = of_lock('jinja2', '1', 'removed', vulnerabilities=[VULNERABILITY])

    assert review(run, change, [*REVIEWED, removed]).returncode == 0


def test_what_github_does_not_speak_of_is_not_taken_for_reviewed(run: Run, change: Path) -> None:
    empty = review(run, change, [])
    other_version = review(run, change, [*REVIEWED[:2], of_lock('flask', '3.0')])

    assert (empty.returncode, other_version.returncode) == (1, 1)
    assert empty.stdout.count('has not reviewed') == 2
    assert 'has not reviewed flask 3.1' in other_version.stdout


def test_a_review_without_an_answer_is_a_failure(run: Run, change: Path) -> None:
    result = run({'--paginate': None},
                 sys.executable,
                 SCRIPTS / 'review_dependencies.py',
                 'base',
                 'head',
                 cwd=change)

    assert result.returncode != 0
