"""Every write of the API while a standby, which only lets itself be read, stands in for the primary."""
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url

from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from tests.faults.cases import Case, for_each
from tests.faults.trial import Outcome, Service, check_mended, check_suffered
from tests.support.answers import ok
from tests.support.at_once import at_once
from tests.support.attempts import Prepare
from tests.support.database import connect, execute, select_one
from tests.support.members import WHITELIST, join, publish
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.served_api import ServedApi
from tests.support.standby import copy_to
from tests.support.uploads import stored_files
from tests.support.waiting import wait_until
from tests.support.writes import WRITES

READ_ONLY = "SELECT current_setting('transaction_read_only')"
STANDBY = 'a read-only standby in place of the primary'


@dataclass(frozen=True, kw_only=True)
class StandbyCase(Case):
    prepare: Prepare


CASES = [
    StandbyCase(
        part='PostgreSQL', fault=STANDBY, meanwhile=name, holds=Outcome.REFUSED.value, prepare=prepare
    ) for name, prepare in WRITES.items()
]


@dataclass(frozen=True, kw_only=True)
class Pair:
    primary: OwnPostgres
    standby_url: str

    def fail_over(self) -> None:
        """Let the API find the standby, once that has all that the primary has."""
        with (
            closing(connect(self.primary.direct_url)) as primary,
            closing(connect(self.standby_url)) as standby,
        ):
            written = select_one(primary, 'SELECT pg_current_wal_lsn()::text')
            query = 'SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn'
            wait_until(lambda: select_one(standby, query, written), 'the standby has caught up')
        self._lead_to(self.standby_url)

    def fail_back(self) -> None:
        self._lead_to(self.primary.direct_url)

    def _lead_to(self, url: str) -> None:
        address = urlsplit(url)
        self.primary.proxy.target = (address.hostname or '', address.port or 0)
        self.primary.proxy.cut()


@pytest.fixture(name='pair', scope='module')
def _pair(tmp_path_factory: pytest.TempPathFactory, migrated_cluster: MigratedCluster) -> Iterator[Pair]:
    with own_postgres(tmp_path_factory.mktemp('primary'), migrated_cluster) as primary:
        folder = tmp_path_factory.mktemp('standby')
        copy_to(folder, primary.direct_url)
        with EmbeddedPostgres(folder, durable=False) as url:
            yield Pair(primary=primary, standby_url=url)


@pytest.fixture(name='service', scope='module')
def _service(tmp_path_factory: pytest.TempPathFactory, pair: Pair) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp('service')
    with ServedApi(folder, pair.primary.url, {'WHITELISTED_EMAILS': ','.join(WHITELIST)}) as api:
        images = Path(api.environ['IMAGE_FOLDER'])
        yield Service(api=api, database_url=pair.primary.direct_url, stored=lambda: stored_files(images))


@for_each(CASES)
def test_a_write(service: Service, pair: Pair, case: StandbyCase) -> None:
    attempt = case.prepare(service.api)
    pair.fail_over()
    try:
        response = attempt.send()
    finally:
        pair.fail_back()

    check_suffered(service, attempt, response, Outcome.REFUSED)
    check_mended(service, attempt)


@for_each([
    Case(
        part='PostgreSQL',
        fault=STANDBY,
        meanwhile='reading',
        holds='everything can be read, as it was before'
    )
])
def test_a_read(service: Service, pair: Pair, case: Case) -> None:
    del case
    author = join(service.api)
    project = publish(service.api, author, 'A title', 'text')
    pair.fail_over()
    try:
        # More often than there are workers, of which each may have it still.
        for _ in range(8):
            assert ok(service.api.get(author.projects_path)) == [project]
            ok(service.api.get('/v1/accounts/me', headers=author.bearer))
        assert service.api.get('/health/live').status_code == HTTPStatus.OK
    finally:
        pair.fail_back()


@contextmanager
def demoted(url: str) -> Iterator[None]:
    """Connections that exist lead to a reader from now on, and new ones to a writer."""
    with closing(connect(url)) as database:
        name = make_url(url).database
        execute(database, f'ALTER DATABASE {name} SET default_transaction_read_only = off')
        execute(database, 'ALTER SYSTEM SET default_transaction_read_only = on')
        execute(database, 'SELECT pg_reload_conf()')
        wait_until(lambda: select_one(database, READ_ONLY) == 'on', 'it can only be read')
        try:
            yield
        finally:
            execute(database, 'SET default_transaction_read_only = off')
            execute(database, 'ALTER SYSTEM RESET default_transaction_read_only')
            execute(database, f'ALTER DATABASE {name} RESET default_transaction_read_only')
            execute(database, 'SELECT pg_reload_conf()')


@for_each([
    Case(
        part='PostgreSQL',
        fault='the primary becomes a standby, and its connections stay',
        meanwhile='publishing',
        holds='a 503 for each worker at most; then everything is carried out'
    )
])
def test_connections_to_a_former_primary(service: Service, pair: Pair, case: Case) -> None:
    del case
    author = join(service.api)
    # Fills the pools.
    at_once([partial(publish, service.api, author, 'A title', 'text')] * 16)

    with demoted(pair.primary.direct_url):
        project = {'title': 'A title', 'body': 'text'}
        statuses = [
            service.api.post('/v1/projects', project, headers=author.bearer).status_code for _ in range(40)
        ]
        assert service.api.get('/health/ready').status_code == HTTPStatus.OK

    refused = statuses.count(HTTPStatus.SERVICE_UNAVAILABLE)
    assert refused <= int(service.api.environ['WEB_CONCURRENCY'])
    assert statuses.count(HTTPStatus.CREATED) == len(statuses) - refused
