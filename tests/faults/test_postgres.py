"""Every write of the API while the way to PostgreSQL is broken."""
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.faults.cases import Case, for_each
from tests.faults.network import NetworkFault, delay, slow
from tests.faults.trial import Outcome, Service, check_mended, check_suffered, is_done
from tests.support.attempts import Prepare
from tests.support.database import connect, execute
from tests.support.members import WHITELIST
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.uploads import stored_files
from tests.support.ways import CutAfter, CutAtCommit
from tests.support.writes import WRITES

POSTGRES = 'PostgreSQL'

# The client of the database gives up after 2 s without a connection and after 7 s without an answer, and what
# is left of the request may meet the same silence once more.
FAULTS = (
    NetworkFault(name='refuse', begin=TcpProxy.refuse, outcome=Outcome.REFUSED),
    # The pool notices that its connections are dead, and makes new ones.
    NetworkFault(name='reset', begin=TcpProxy.cut, outcome=Outcome.SERVED),
    NetworkFault(name='delay', begin=delay, outcome=Outcome.EITHER),
    NetworkFault(name='slow', begin=slow, outcome=Outcome.EITHER),
    NetworkFault(name='hang', begin=TcpProxy.hang, outcome=Outcome.REFUSED),
)
# Of bytes; each is tried, until a request needs fewer.
CUTS = tuple(4**power for power in range(12))
# No request commits so often.
MOST_COMMITS = 30
# A relay that had just sent a mail may commit in between, and be cut instead.
SWEEPS = 3


@dataclass(frozen=True, kw_only=True)
class WriteCase(Case):
    prepare: Prepare


@dataclass(frozen=True, kw_only=True)
class NetworkCase(WriteCase):
    network: NetworkFault


@dataclass(frozen=True, kw_only=True)
class CutCase(WriteCase):
    to_server: bool


@dataclass(frozen=True, kw_only=True)
class CommitCase(WriteCase):
    answered: bool


NETWORK_CASES = [
    NetworkCase(
        part=POSTGRES,
        fault=fault.name,
        meanwhile=name,
        holds=fault.outcome.value,
        network=fault,
        prepare=prepare,
        quick=fault.name == 'refuse' and name == 'projects_publish',
    ) for fault in FAULTS for name, prepare in WRITES.items()
]
CUT_CASES = [
    CutCase(
        part=POSTGRES,
        fault='cut after n bytes, ' + ('sent' if to_server else 'received'),
        meanwhile=name,
        holds=Outcome.EITHER.value,
        to_server=to_server,
        prepare=prepare,
    ) for to_server in (True, False) for name, prepare in WRITES.items()
]
COMMIT_CASES = [
    CommitCase(
        part=POSTGRES,
        fault='cut at COMMIT, ' + ('carried out and not answered' if answered else 'not heard'),
        meanwhile=name,
        holds=Outcome.EITHER.value,
        answered=answered,
        prepare=prepare,
        quick=name == 'projects_publish',
    ) for answered in (False, True) for name, prepare in WRITES.items()
]


@pytest.fixture(name='postgres', scope='module')
def _postgres(tmp_path_factory: pytest.TempPathFactory,
              migrated_cluster: MigratedCluster) -> Iterator[OwnPostgres]:
    with own_postgres(tmp_path_factory.mktemp('postgres'), migrated_cluster) as postgres:
        yield postgres


@pytest.fixture(name='service', scope='module')
def _service(tmp_path_factory: pytest.TempPathFactory, postgres: OwnPostgres) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp('service')
    with ServedApi(folder, postgres.url, {'WHITELISTED_EMAILS': ','.join(WHITELIST)}) as api:
        images = Path(api.environ['IMAGE_FOLDER'])
        yield Service(api=api, database_url=postgres.direct_url, stored=lambda: stored_files(images))


@for_each(NETWORK_CASES)
def test_a_broken_way(service: Service, postgres: OwnPostgres, case: NetworkCase) -> None:
    attempt = case.prepare(service.api)
    fault = case.network
    try:
        fault.begin(postgres.proxy)
        response = attempt.send()
        live = service.api.get('/health/live')
    finally:
        postgres.proxy.forward()

    check_suffered(service, attempt, response, fault.outcome)
    assert live.status_code == HTTPStatus.OK
    check_mended(service, attempt)


@for_each(CUT_CASES)
def test_a_connection_that_is_cut(service: Service, postgres: OwnPostgres, case: CutCase) -> None:
    for number in CUTS:
        attempt = case.prepare(service.api)
        way = CutAfter(number, to_server=case.to_server)
        try:
            postgres.proxy.go_by(way)
            response = attempt.send()
        finally:
            postgres.proxy.forward()

        check_suffered(service, attempt, response, Outcome.EITHER)
        check_mended(service, attempt)
        if not way.has_cut:
            return
    raise AssertionError('no request says so much')


def give_up_mail(url: str) -> None:
    """Let no relay commit anything of its own."""
    with closing(connect(url)) as database:
        execute(
            database, "UPDATE outbox SET status = 'obsolete', finished_at = now() WHERE status = 'pending'"
        )


@for_each(COMMIT_CASES)
def test_a_connection_that_is_cut_at_a_commit(
    service: Service, postgres: OwnPostgres, case: CommitCase
) -> None:
    for _ in range(SWEEPS):
        if case.answered in set(sweep(service, postgres, case)):
            return
    raise AssertionError('the commit of the write itself was never cut')


def sweep(service: Service, postgres: OwnPostgres, case: CommitCase) -> Iterator[bool]:
    """Cut each commit of the request in turn; yield, for each that was broken off, whether it is done."""
    for number in range(1, MOST_COMMITS):
        attempt = case.prepare(service.api)
        give_up_mail(service.database_url)
        way = CutAtCommit(number, answered=case.answered)
        try:
            postgres.proxy.go_by(way)
            response = attempt.send()
        finally:
            postgres.proxy.forward()

        check_suffered(service, attempt, response, Outcome.EITHER)
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            yield is_done(service, attempt)
        check_mended(service, attempt)
        if not way.has_cut:
            return
    raise AssertionError('no request commits so often')
