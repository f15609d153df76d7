"""The command by which a container's health is told."""
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.support.served_api import ServedApi
from tests.support.waiting import PATIENCE


def check(server_url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it with a temporary folder of its own, as each container has."""
    environ = {'PORT': str(urlsplit(server_url).port), 'TMPDIR': str(folder)}
    return subprocess.run([sys.executable, '-m', 'talelio_backend.healthcheck'],
                          cwd=PROJECT_FOLDER,
                          env=environ,
                          capture_output=True,
                          text=True,
                          timeout=PATIENCE,
                          check=False)


def test_a_container_that_is_ready_is_healthy(api: ServedApi, tmp_path: Path) -> None:
    result = check(api.url, tmp_path)

    assert (result.returncode, result.stderr) == (0, '')


@pytest.fixture(name='unready', scope='module')
def _unready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    """A server without a database."""
    environ = {
        'ENV': 'production',
        'API_BASE_URL': 'https://api.test',
        'BCRYPT_COST': '10',
        'SMTP_URL': 'smtp://127.0.0.1:1'
    }
    api = ServedApi(tmp_path_factory.mktemp('unready'), 'postgresql://nobody@127.0.0.1:1/nothing', environ)
    api.start(wait_for='/health/live')
    yield api
    api.kill()


def test_a_container_that_never_was_ready_is_unhealthy(unready: ServedApi, tmp_path: Path) -> None:
    result = check(unready.url, tmp_path)

    assert (result.returncode, result.stderr) == (1, '/health/ready: 503\n')


def test_a_container_that_was_ready_stays_healthy_without_its_database(
    api: ServedApi, unready: ServedApi, tmp_path: Path
) -> None:
    check(api.url, tmp_path)
    result = check(unready.url, tmp_path)

    assert result.returncode == 0


def test_a_container_that_was_ready_and_does_not_answer_is_unhealthy(api: ServedApi, tmp_path: Path) -> None:
    check(api.url, tmp_path)

    # Nobody listens there.
    result = check('http://127.0.0.1:1', tmp_path)

    assert result.returncode == 1
    assert 'refused' in result.stderr
