from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.loaders import create_loader

from tests.support.s3_servers import AWS_ENVIRON, MotoServer, RcloneServer


@pytest.fixture(name='moto', scope='session')
def fixture_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with MotoServer(tmp_path_factory.mktemp('moto')) as server:
        yield server


@pytest.fixture(name='rclone', scope='session')
def fixture_rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RcloneServer]:
    with RcloneServer(tmp_path_factory.mktemp('rclone')) as server:
        yield server


@pytest.fixture(name='aws_descriptions', scope='session', autouse=True)
def fixture_aws_descriptions() -> Iterator[None]:
    """Load botocore's description of S3 once: each client would spend most of its creation on it."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr('botocore.session.create_loader', lambda *_: loader)
        yield


@pytest.fixture(name='aws_environ', autouse=True)
def fixture_aws_environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Set credentials for the test servers and hide those of the machine."""
    for name in AWS_ENVIRON.keys() | {'AWS_SESSION_TOKEN', 'AWS_PROFILE', 'AWS_DEFAULT_REGION', 'AWS_REGION'}:
        monkeypatch.delenv(name, raising=False)
    for name, value in AWS_ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv('HOME', str(tmp_path))
    return monkeypatch
