"""The command by which a container's health is told."""
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from talelio_backend.config import PROJECT_FOLDER
from tests.e2e.conftest import Serve
from tests.support.served_api import ServedApi


def check(server_url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it with a temporary folder of its own, as each container has."""
    environ = {'PORT': str(urlsplit(server_url).port), 'TMPDIR': str(folder)}
    return subprocess.run([sys.executable, '-m', 'talelio_backend.healthcheck'],
                          cwd=PROJECT_FOLDER,
                          env=environ,
                          capture_output=True,
                          text=True,
                          timeout=30,
                          check=False)


def test_a_container_that_is_ready_is_healthy(api: ServedApi, tmp_path: Path) -> None:
    result = check(api.url, tmp_path)

    assert (result.returncode, result.stderr) == (0, '')


@pytest.fixture(name='unready')
def _unready(tmp_path_factory: pytest.TempPathFactory, empty_database_url: str) -> ServedApi:
    return ServedApi(
        tmp_path_factory.mktemp('unready'), empty_database_url, {
            'ENV': 'production',
            'API_BASE_URL': 'https://api.test',
            'BCRYPT_COST': '10',
            'SMTP_URL': 'smtp://127.0.0.1:1'
        }
    )


def test_a_container_that_never_was_ready_is_unhealthy(unready: ServedApi, tmp_path: Path) -> None:
    unready.start(wait_for='/health/live')
    try:
        result = check(unready.url, tmp_path)
    finally:
        unready.kill()

    assert (result.returncode, result.stderr) == (1, '/health/ready: 503\n')


def test_a_container_that_was_ready_stays_healthy_without_its_database(
    serve: Serve, api: ServedApi, unready: ServedApi, tmp_path: Path
) -> None:
    check(api.url, tmp_path)
    unready.start(wait_for='/health/live')
    try:
        result = check(unready.url, tmp_path)
    finally:
        unready.kill()

    assert result.returncode == 0


def test_a_container_that_does_not_answer_is_unhealthy(
    serve: Serve, api_database_url: str, tmp_path: Path
) -> None:
    server = serve(api_database_url)
    folder = tmp_path / 'container'
    folder.mkdir()
    check(server.url, folder)
    server.kill()

    result = check(server.url, folder)

    assert result.returncode == 1
    assert 'refused' in result.stderr
