"""The way from Traefik to the API is broken, and Traefik itself is killed."""
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count

import pytest

from tests.faults.cases import Case, for_each
from tests.faults.invariants import check_rows
from tests.faults.network import delay, slow
from tests.support.database import connect, copy_of, select_one
from tests.support.members import WHITELIST, Member, join
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.traefik import HOST, Traefik
from tests.support.traefik_client import Answer
from tests.support.traefik_rig import new_address
from tests.support.waiting import wait_until
from tests.support.ways import CutAfter

TRAEFIK = 'Traefik to API'
PUBLISH, READ = 'publishing', 'reading'
# Traefik's own words, as it has no answer of the API's to pass on.
GATEWAY = (500, 502, 503, 504)
SERVED = 'served as ever'
SERVED_OR_TOLD = 'served, or a 5xx of Traefik; a POST is done at most once, and once if acknowledged'
CUTS = tuple(4**power for power in range(8))


@dataclass(frozen=True, kw_only=True)
class Front:
    api: ServedApi
    traefik: Traefik
    # Between the two.
    proxy: TcpProxy
    database_url: str
    author: Member

    def ask(self, what: str, title: str) -> Answer | None:
        """None when the connection to Traefik itself broke."""
        with self.traefik.client(source=new_address()) as client:
            with suppress(OSError, HTTPException):
                if what == READ:
                    return client.get(self.author.projects_path)
                body = {'title': title, 'body': 'text'}
                return client.post('/v1/projects', body, self.author.bearer)
        return None

    def times(self, title: str) -> int:
        with closing(connect(self.database_url)) as database:
            query = 'SELECT count(*) FROM projects WHERE title = %s'
            return int(select_one(database, query, title))

    def is_used(self) -> bool:
        return set(self.traefik.server_status().values()) == {'UP'}

    def is_out(self) -> bool:
        """Whether it is not even asked while there is nobody else."""
        return set(self.traefik.server_status('api-live').values()) == {'DOWN'}

    def check(self, what: str, title: str, response: Answer | None, *, served: bool) -> None:
        done = self.times(title) if what == PUBLISH else 0
        if response is not None and response.status_code < 300:
            assert response.status_code == (201 if what == PUBLISH else 200)
            assert what == READ or done == 1
        else:
            assert not served, response
            assert response is None or response.status_code in GATEWAY
            assert done <= 1

    def check_mended(self, title: str) -> None:
        self.proxy.forward()
        wait_until(self.is_used, 'Traefik uses the API again')
        for what, status in ((PUBLISH, 201), (READ, 200)):
            response = self.ask(what, title)
            assert response is not None and response.status_code == status
        check_rows(self.database_url)


@pytest.fixture(name='front', scope='module')
def _front(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp('front')
    environ = {
        'API_BASE_URL': f'https://{HOST}',
        'TRUSTED_PROXIES': '127.0.0.1',
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
    }
    with (
        copy_of(postgres_url) as url,
        ServedApi(tmp_path_factory.mktemp('api'), url, environ) as api,
        TcpProxy.before(api.url) as proxy,
        Traefik(folder, [f'http://127.0.0.1:{proxy.port}']) as traefik,
    ):
        yield Front(api=api, traefik=traefik, proxy=proxy, database_url=url, author=join(api))


@dataclass(frozen=True, kw_only=True)
class WayCase(Case):
    begin: Callable[[TcpProxy], None]
    served: bool


CASES = [
    WayCase(
        part=TRAEFIK,
        fault=fault,
        meanwhile=what,
        holds=SERVED if served else SERVED_OR_TOLD,
        begin=begin,
        served=served,
    ) for fault, begin, served in (
        ('refuse', TcpProxy.refuse, False),
        ('reset', TcpProxy.cut, False),
        ('delay', delay, True),
        ('slow', slow, True),
    ) for what in (PUBLISH, READ)
]


@for_each(CASES)
def test_a_broken_way(front: Front, case: WayCase) -> None:
    title = case.name
    # Leaves a connection that Traefik keeps.
    front.check_mended(f'{title}: before')
    case.begin(front.proxy)
    response = front.ask(case.meanwhile, title)
    front.proxy.forward()

    front.check(case.meanwhile, title, response, served=case.served)
    front.check_mended(f'{title}: after')


@for_each([
    Case(
        part=TRAEFIK,
        fault='hang',
        meanwhile=what,
        holds='within seven seconds Traefik has noticed, and says 503; the POST is not done',
    ) for what in (PUBLISH, READ)
])
def test_an_api_that_hangs(front: Front, case: Case) -> None:
    title = case.name
    front.check_mended(f'{title}: before')
    front.proxy.hang()
    try:
        wait_until(front.is_out, 'Traefik has noticed')
        response = front.ask(case.meanwhile, title)
        assert response is not None and response.status_code == 503
    finally:
        # What was held back is not to come now.
        front.proxy.refuse()
    front.check_mended(f'{title}: after')
    assert front.times(title) == 0


@for_each([
    Case(part=TRAEFIK, fault=f'cut after n bytes, {direction}', meanwhile=what, holds=SERVED_OR_TOLD)
    for direction in ('sent', 'received') for what in (PUBLISH, READ)
])
def test_a_connection_that_is_cut(front: Front, case: Case) -> None:
    for number in CUTS:
        title = f'{case.name} {number}'
        way = CutAfter(number, to_server=case.fault.endswith('sent'))
        front.proxy.go_by(way)
        response = front.ask(case.meanwhile, title)
        front.proxy.forward()

        front.check(case.meanwhile, title, response, served=False)
    front.check_mended(f'{case.name}: after')


@for_each([
    Case(
        part='Traefik',
        fault='kill -9',
        meanwhile='publishing by four clients',
        holds='what was acknowledged is there, and nothing is done twice',
    )
])
def test_traefik_is_killed(front: Front, case: Case) -> None:
    responses: dict[str, Answer | None] = {}
    killed = threading.Event()

    def publish_until_killed(client: int) -> None:
        for number in count():
            title = f'{case.fault} {client} {number}'
            responses[title] = front.ask(PUBLISH, title)
            if killed.is_set():
                return

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(publish_until_killed, number) for number in range(4)]
        try:
            wait_until(lambda: len(responses) >= 40, 'some are published')
            front.traefik.kill()
        finally:
            killed.set()
        for client in clients:
            client.result()
    front.traefik.start()

    for title, response in responses.items():
        front.check(PUBLISH, title, response, served=False)
    assert sum(response is not None for response in responses.values()) >= 36
    front.check_mended('after the kill')
