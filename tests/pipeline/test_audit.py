"""A known vulnerability of a locked package fails the audit, and so does all that keeps it from finding out.

pip-audit and npm are the real ones; OSV and npm's registry are a server of the tests'.
"""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT
from tests.support.missing import require_npm

CLIENT = PROJECT_FOLDER / '.ci' / 'client'
PYTHON_LOCK, NPM_LOCK = 'Pipfile.lock', '.ci/client/package-lock.json'
LOCKS = (PYTHON_LOCK, 'tests/fuzz/requirements.txt', 'tests/soak/requirements.txt', NPM_LOCK)
# One for each of the two programs that are asked.
ONE_EACH = (PYTHON_LOCK, NPM_LOCK)


class Advisories(ThreadingHTTPServer):
    """Answers as OSV and as npm's registry do."""

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.of_python: dict[tuple[str, str], list[dict[str, Any]]] = {('django', '2.0'):
                                                                       [advisory('PYSEC-2018-1', 'django')]}
        self.of_npm: dict[str, list[dict[str, Any]]] = {
            'lodash': [npm_advisory('GHSA-of-lodash', '<4.17.21')]
        }
        self.status = 200
        self.asked: set[tuple[str, str]] = set()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.server_port}'

    def answer(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        if path == '/v1/query':
            asked = (question['package']['name'], question['version'])
            self.asked.add(asked)
            return {'vulns': self.of_python[asked]} if asked in self.of_python else {}
        self.asked |= {(name, version) for name, versions in question.items() for version in versions}
        return {name: found for name, found in self.of_npm.items() if name in question}


class Handler(BaseHTTPRequestHandler):
    server: Advisories

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.headers['Content-Encoding'] == 'gzip':
            body = gzip.decompress(body)
        content = json.dumps(self.server.answer(self.path, json.loads(body))).encode()
        self.send_response(self.server.status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:  # pylint: disable=arguments-differ
        pass


def advisory(id_: str, package: str, **others: Any) -> dict[str, Any]:
    affected = {
        'package': {
            'name': package,
            'ecosystem': 'PyPI'
        },
        'ranges': [{
            'type': 'ECOSYSTEM',
            'events': [{
                'introduced': '0'
            }, {
                'fixed': '9.9'
            }]
        }]
    }
    return {
        'id': id_,
        'aliases': [f'CVE-of-{id_}'],
        'summary': 'It can be made to run code',
        'affected': [affected],
    } | others


def npm_advisory(id_: str, versions: str) -> dict[str, Any]:
    return {
        'id': 1,
        'url': f'https://github.com/advisories/{id_}',
        'title': 'It never ends',
        'severity': 'high',
        'vulnerable_versions': versions,
        'cwe': ['CWE-1'],
        'cvss': {
            'score': 7.5,
            'vectorString': None
        }
    }


@pytest.fixture(name='advisories')
def _advisories() -> Iterator[Advisories]:
    with served(Advisories()) as server:
        yield server


@contextmanager
def served(server: Advisories) -> Iterator[Advisories]:
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(name='project')
def _project(tmp_path: Path) -> Path:
    """Two packages of Python's, and the client's of npm."""
    require_npm()
    folder = tmp_path / 'project'
    (folder / '.github').mkdir(parents=True)
    (folder / '.github' / 'accepted_vulnerabilities.toml').touch()
    (folder / '.ci' / 'client').mkdir(parents=True)
    for name in ('package.json', 'package-lock.json'):
        shutil.copy(CLIENT / name, folder / '.ci' / 'client')
    lock = {
        'default': {
            'Flask': {
                'version': '==3.1.3'
            }
        },
        'develop': {
            'colorama': {
                'version': '==0.4.6',
                'markers': "sys_platform == 'win32'"
            }
        }
    }
    (folder / 'Pipfile.lock').write_text(json.dumps(lock), encoding='utf-8')
    for purpose, package in (('fuzz', 'atheris==3.0.0'), ('soak', 'matplotlib==3.11.2')):
        (folder / 'tests' / purpose).mkdir(parents=True)
        requirements = f'# For one purpose\n{package} \\\n    --hash=sha256:00\n'
        (folder / 'tests' / purpose / 'requirements.txt').write_text(requirements, encoding='utf-8')
    return folder


def audit(project: Path, url: str, *locks: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        'AUDIT_OSV_URL': f'{url}/v1/query',
        'npm_config_registry': url,
        'npm_config_cache': str(project.parent / 'npm'),
        'npm_config_fetch_retries': '0',
    }
    return subprocess.run([sys.executable, PROJECT_FOLDER / '.ci' / 'audit.py', *locks],
                          cwd=project,
                          env=environ,
                          capture_output=True,
                          text=True,
                          timeout=TIMEOUT,
                          check=False)


def test_what_nobody_knows_anything_against_passes(project: Path, advisories: Advisories) -> None:
    result = audit(project, advisories.url)

    assert (result.returncode, result.stdout.splitlines()
            ) == (0, [f'{lock}: all packages audited' for lock in LOCKS]), result.stdout + result.stderr
    lock = json.loads((project / '.ci' / 'client' / 'package-lock.json').read_text(encoding='utf-8'))
    of_npm = {(path.rpartition('node_modules/')[2], package['version'])
              for path, package in lock['packages'].items() if path}
    # Whatever their markers say.
    assert advisories.asked == {('flask', '3.1.3'), ('colorama', '0.4.6'), ('atheris', '3.0.0'),
                                ('matplotlib', '3.11.2'), ('django', '2.0'), ('lodash', '4.17.4'), *of_npm}


def test_a_known_vulnerability_is_a_failure_that_names_it(project: Path, advisories: Advisories) -> None:
    advisories.of_python['colorama', '0.4.6'] = [advisory('GHSA-1', 'colorama')]
    advisories.of_npm['minimatch'] = [npm_advisory('GHSA-2', '<99')]

    result = audit(project, advisories.url)

    assert result.returncode == 1
    assert 'FAILED: Pipfile.lock: colorama 0.4.6: CVE-of-GHSA-1, GHSA-1: It can be made to run code ' \
        '(fixed in 9.9)' in result.stdout
    assert 'FAILED: .ci/client/package-lock.json: minimatch: GHSA-2: It never ends, high' in result.stdout


@pytest.mark.parametrize(('until', 'code'), [('2999-12-31', 0), ('2020-01-01', 1)], ids=['still', 'no more'])
def test_acceptance_expires(project: Path, advisories: Advisories, until: str, code: int) -> None:
    advisories.of_python['flask', '3.1.3'] = [advisory('GHSA-1', 'flask')]
    entry = f'[[accepted]]\nid = "CVE-of-GHSA-1"\nuntil = {until}\nreason = "Nobody can reach it"\n'
    (project / '.github' / 'accepted_vulnerabilities.toml').write_text(entry, encoding='utf-8')

    result = audit(project, advisories.url, PYTHON_LOCK)

    assert result.returncode == code
    assert 'flask 3.1.3: CVE-of-GHSA-1, GHSA-1' in result.stdout


def assert_nothing_was_found_out(result: subprocess.CompletedProcess[str], *locks: str) -> None:
    assert result.returncode == 1
    for lock in locks:
        said = f'FAILED: {lock}: the audit is incomplete: '
        assert said in result.stdout, result.stdout + result.stderr
        assert f'{lock}: all packages audited' not in result.stdout


def test_nobody_to_ask_is_a_failure(project: Path) -> None:
    with served(Advisories()) as gone:
        url = gone.url

    assert_nothing_was_found_out(audit(project, url), *LOCKS)


@pytest.mark.parametrize('status', [403, 404, 405, 500])
def test_an_answer_that_is_none_is_a_failure(project: Path, advisories: Advisories, status: int) -> None:
    advisories.status = status

    assert_nothing_was_found_out(audit(project, advisories.url, *ONE_EACH), *ONE_EACH)


def test_whoever_knows_nothing_against_anything_is_not_believed(
    project: Path, advisories: Advisories
) -> None:
    advisories.of_python.clear()
    advisories.of_npm.clear()

    result = audit(project, advisories.url, *ONE_EACH)

    assert_nothing_was_found_out(result, *ONE_EACH)
    assert 'OSV reports no vulnerability of django 2.0' in result.stdout
    assert 'npm reports no vulnerability of lodash 4.17.4' in result.stdout


@pytest.mark.parametrize('unreadable', [{'schema_version': '2.0'}, {'affected': None}], ids=repr)
def test_an_advisory_that_cannot_be_read_is_not_passed_over(
    project: Path, advisories: Advisories, unreadable: dict[str, Any]
) -> None:
    advisories.of_python['flask', '3.1.3'] = [advisory('GHSA-1', 'flask', **unreadable)]

    assert_nothing_was_found_out(audit(project, advisories.url, PYTHON_LOCK), PYTHON_LOCK)


def test_a_version_that_cannot_be_asked_about_is_a_failure(project: Path, advisories: Advisories) -> None:
    lock = {'default': {'flask': {'version': '==3.1.x'}}, 'develop': {}}
    (project / PYTHON_LOCK).write_text(json.dumps(lock), encoding='utf-8')

    assert_nothing_was_found_out(audit(project, advisories.url, PYTHON_LOCK), PYTHON_LOCK)


def test_accepted_vulnerabilities_have_a_name_a_reason_and_a_date() -> None:
    file = PROJECT_FOLDER / '.github' / 'accepted_vulnerabilities.toml'
    content = tomllib.loads(file.read_text(encoding='utf-8'))

    assert content.keys() <= {'accepted'}
    for entry in content.get('accepted', []):
        assert entry['id'] and len(entry['reason']) > 20
        # SECURITY.md: a month at the most. What is written for longer was written too early.
        assert entry['until'] <= datetime.now(UTC).date() + timedelta(days=30)


# pip-audit succeeds whatever it skipped.
SCRIPTED = """\
import sys
from pathlib import Path
import audit
audit.PIP_AUDIT = Path(sys.argv[1])
print(audit.audit_python(Path('Pipfile.lock')))
"""
DECOY = {'name': 'django', 'version': '2.0', 'vulns': [{'id': 'PYSEC-1'}]}
FLASK = {'name': 'flask', 'version': '3.1.3', 'vulns': []}


@pytest.mark.parametrize(('dependencies', 'said'), [
    (None, 'no output'),
    ([], 'pip-audit skipped colorama 0.4.6, flask 3.1.3'),
    ([DECOY, FLASK], 'pip-audit skipped colorama 0.4.6'),
    ([DECOY, FLASK, {
        'name': 'colorama',
        'skip_reason': 'not on PyPI'
    }], 'skipped colorama 0.4.6'),
    ([DECOY, FLASK, {
        'name': 'colorama',
        'version': '0.4.5',
        'vulns': []
    }], 'skipped colorama 0.4.6'),
],
                         ids=['nothing', 'none', 'one missing', 'one skipped', 'another version'])
def test_a_package_that_was_left_out_is_not_sound(
    project: Path, dependencies: list[dict[str, Any]] | None, said: str
) -> None:
    answer = '' if dependencies is None else json.dumps({'dependencies': dependencies, 'fixes': []})
    script = project / 'pip-audit'
    script.write_text(f'#!{sys.executable}\nprint({answer!r})\n', encoding='utf-8')
    script.chmod(0o755)

    result = subprocess.run([sys.executable, '-c', SCRIPTED, script],
                            cwd=project,
                            env=os.environ | {'PYTHONPATH': str(PROJECT_FOLDER / '.ci')},
                            capture_output=True,
                            text=True,
                            timeout=TIMEOUT,
                            check=False)

    assert result.returncode == 1
    assert 'NotAudited: ' in result.stderr and result.stderr.endswith(f'{said}\n')
