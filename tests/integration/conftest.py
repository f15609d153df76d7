from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from talelio_backend.app_asset.data import image_repository
from talelio_backend.shared.data import change_listener, connections
from tests.support.backings import Backing, FakeBacking, RealBacking
from tests.support.engines import copied_database, scalar
from tests.support.waiting import PATIENCE


@pytest.fixture(name='shared_engine', scope='module')
def fixture_shared_engine(postgres_url: str) -> Iterator[Engine]:
    with copied_database(postgres_url) as engine:
        yield engine


@pytest.fixture(name='real_backing')
def fixture_real_backing(shared_engine: Engine) -> Backing:
    """Emptied, which is far quicker than a new database for each test."""
    scalar(shared_engine, 'DELETE FROM accounts')
    scalar(shared_engine, 'DELETE FROM outbox')
    scalar(shared_engine, 'DELETE FROM idempotency_claims')
    scalar(shared_engine, 'DELETE FROM security_events')
    scalar(shared_engine, 'DELETE FROM whitelist')
    scalar(shared_engine, 'DELETE FROM rate_limit_counters')
    return RealBacking(shared_engine)


@pytest.fixture(autouse=True)
def fixture_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a busy machine is not taken for a silent server, nor for somebody who keeps a lock."""
    monkeypatch.setattr(connections, 'CONNECT_TIMEOUT', PATIENCE)
    monkeypatch.setattr(connections, 'ANSWER_TIMEOUT', PATIENCE)
    monkeypatch.setattr(change_listener, 'CHECK_TIMEOUT', PATIENCE)
    monkeypatch.setattr(image_repository, 'LOCK_TIMEOUT', PATIENCE)


@pytest.fixture(name='backing', params=['real', 'fake'])
def fixture_backing(request: pytest.FixtureRequest) -> Backing:
    # Asked for by name, so that the fakes need no database.
    backing: Backing = request.getfixturevalue('real_backing') if request.param == 'real' else FakeBacking()
    return backing
