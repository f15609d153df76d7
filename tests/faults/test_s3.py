"""Every write of the API that keeps or frees files, while the way to S3 is broken."""
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults.cases import Case, for_each
from tests.faults.network import delay, slow
from tests.faults.trial import Outcome, Service, check_mended, check_suffered
from tests.support.attempts import Prepare
from tests.support.database import copy_of
from tests.support.members import WHITELIST
from tests.support.s3_servers import AWS_ENVIRON, MotoServer
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.ways import CutAfter
from tests.support.writes import WRITES

S3 = 'S3'
# Within which S3 fails or answers, with what decoding takes on a busy machine.
SECONDS = 25

WHEN_AWAY = {
    'assets_upload': Outcome.REFUSED,
    'avatar_set_avatar': Outcome.REFUSED,
    # The picture is out of the list at once; the same call, or the sweep, frees its files.
    'assets_delete_own': Outcome.EITHER,
    # The files are left to the sweep.
    'avatar_reset_avatar': Outcome.SERVED,
    'own_account_delete': Outcome.SERVED,
}
AWAY = {'refuse': TcpProxy.refuse, 'hang': TcpProxy.hang}
# The client tries a second time, on a new connection.
TROUBLE = {'reset': TcpProxy.cut, 'delay': delay, 'slow': slow}
CUTS = tuple(4**power for power in range(12))


@dataclass(frozen=True, kw_only=True)
class FileCase(Case):
    prepare: Prepare
    outcome: Outcome


CASES = [
    FileCase(
        part=S3,
        fault=fault,
        meanwhile=name,
        holds=outcome.value,
        prepare=WRITES[name],
        outcome=outcome,
    ) for fault, name, outcome in [
        *((fault, name, outcome) for fault in AWAY for name, outcome in WHEN_AWAY.items()),
        *((fault, name, Outcome.EITHER) for fault in TROUBLE for name in WHEN_AWAY),
    ]
]
CUT_CASES = [
    FileCase(
        part=S3,
        fault=f'cut after n bytes, {direction}',
        meanwhile=name,
        holds=Outcome.EITHER.value,
        prepare=WRITES[name],
        outcome=Outcome.EITHER,
    ) for direction in ('sent', 'received') for name in WHEN_AWAY
]


@pytest.fixture(name='s3', scope='module')
def _s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with MotoServer(tmp_path_factory.mktemp('s3')) as server:
        yield server


@pytest.fixture(name='proxy', scope='module')
def _proxy(s3: MotoServer) -> Iterator[TcpProxy]:
    with TcpProxy.before(s3.url) as proxy:
        yield proxy


@pytest.fixture(name='service', scope='module')
def _service(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, s3: MotoServer,
             proxy: TcpProxy) -> Iterator[Service]:
    bucket = s3.make_bucket()

    def stored() -> set[str]:
        pages = s3.client.get_paginator('list_objects_v2').paginate(Bucket=bucket)
        return {item['Key'] for page in pages for item in page.get('Contents', [])}

    environ = {
        **AWS_ENVIRON,
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
        'S3_BUCKET': bucket,
        'AWS_ENDPOINT_URL_S3': f'http://127.0.0.1:{proxy.port}',
        'AWS_REGION': 'us-east-1',
    }
    with copy_of(postgres_url) as url:
        with ServedApi(tmp_path_factory.mktemp('service'), url, environ) as api:
            yield Service(api=api, database_url=url, stored=stored)


@for_each(CASES)
def test_a_broken_way(service: Service, proxy: TcpProxy, case: FileCase) -> None:
    attempt = case.prepare(service.api)
    try:
        (AWAY | TROUBLE)[case.fault](proxy)
        answer = attempt.send()
    finally:
        proxy.forward()

    check_suffered(service, attempt, answer, case.outcome, seconds=SECONDS)
    check_mended(service, attempt)


@for_each(CUT_CASES)
def test_a_connection_that_is_cut(service: Service, proxy: TcpProxy, case: FileCase) -> None:
    for number in CUTS:
        attempt = case.prepare(service.api)
        way = CutAfter(number, to_server=case.fault.endswith('sent'))
        try:
            proxy.go_by(way)
            answer = attempt.send()
        finally:
            proxy.forward()

        check_suffered(service, attempt, answer, case.outcome, seconds=SECONDS)
        check_mended(service, attempt)
        if not way.has_cut:
            return
    raise AssertionError('no request says so much')
