"""Real parts that any test may ask for; each comes up at its first use."""
# pylint: disable=redefined-outer-name
import gc
import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, configuration, settings
from sqlalchemy import Engine, make_url

from talelio_backend.bootstrap import map_entities
from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.database import copy_of
from tests.support.engines import patient_engine
from tests.support.migrated_cluster import MigratedCluster
from tests.support.missing import pytest_terminal_summary
from tests.support.smtp_sink import SmtpSink

# pytest looks for its hooks here.
__all__ = ['pytest_terminal_summary']

configuration.set_hypothesis_home_dir(PROJECT_FOLDER / 'var' / 'hypothesis')
# How long an example takes, or the making of it, is up to the machine.
settings.register_profile(
    'tests', deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile('tests')


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests stay to the end, so nobody need look for garbage among them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope='session')
def migrated_cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MigratedCluster:
    base = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have folders side by side.
    return MigratedCluster(base if worker_id == 'master' else base.parent)


@pytest.fixture(scope='session')
def postgres_url(tmp_path_factory: pytest.TempPathFactory,
                 migrated_cluster: MigratedCluster) -> Iterator[str]:
    """A server of the tests' own, whose first database is never written to after its migration.

    TEST_POSTGRES_URL may name such a database instead, on a server that no other run of the tests uses.
    """
    given = os.environ.get('TEST_POSTGRES_URL')
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp('postgres')
    migrated_cluster.copy_to(folder)
    with EmbeddedPostgres(folder, durable=False) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database of the test's own, without a table."""
    template = make_url(postgres_url).set(database='template1')
    with copy_of(template.render_as_string(hide_password=False)) as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with copy_of(postgres_url) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    map_entities()
    engine = patient_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A real mail server on loopback that keeps what it is given."""
    with SmtpSink() as sink:
        yield sink
