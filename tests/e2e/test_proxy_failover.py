"""What clients notice when one of two APIs stops or dies."""
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.database import connect, select_one
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.traefik import EAGER_CHECKS, Traefik
from tests.support.traefik_client import Proxied
from tests.support.traefik_rig import Rig, behind_traefik, new_address
from tests.support.waiting import wait_until
from tests.support.ways import HeldBack

CLIENTS = 8
# Fewer than one address may make before it must wait.
REQUESTS_OF_AN_ADDRESS = 150


@pytest.fixture(name='rig', scope='module')
def _rig(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Rig]:
    """Of this module alone, whose tests end one of the APIs."""
    with behind_traefik(tmp_path_factory.mktemp('failover'), postgres_url) as rig:
        yield rig


@pytest.fixture(name='author', scope='module')
def _author(rig: Rig) -> Member:
    author = join(rig.apis[1])
    publish(rig.apis[1], author, 'A chair', 'of *ash*')
    return author


@pytest.fixture(name='first')
def _first(rig: Rig) -> ServedApi:
    """One of the two APIs, which the test may end."""
    if not rig.apis[0].runs:
        start_again(rig, rig.apis[0])
    return rig.apis[0]


class Load:
    """Clients that read a list over and over; with `titles`, every second request publishes instead."""

    def __init__(self, rig: Rig, author: Member, *, titles: Iterator[str] | None = None) -> None:
        self._rig = rig
        self._author = author
        self._titles = titles
        self._lock = threading.Lock()
        self._over = threading.Event()
        # How requests ended: statuses, and names of exceptions.
        self.reads: Counter[str] = Counter()
        self.published: dict[str, str] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._run) for _ in range(CLIENTS)]
            try:
                self.go_on()
                yield
            finally:
                self._over.set()
                for client in clients:
                    client.result()

    def go_on(self, requests: int = 50) -> None:
        """Wait until some more were made."""
        before = self.reads.total()
        wait_until(lambda: self.reads.total() >= before + requests, 'more requests')

    def _run(self) -> None:
        while not self._over.is_set():
            with self._lock:
                address = new_address()
            with self._rig.traefik.client(source=address) as client:
                for _ in range(REQUESTS_OF_AN_ADDRESS // 2):
                    if not self._over.is_set():
                        self._ask(client)

    def _ask(self, client: Proxied) -> None:
        result = outcome(client, 'GET', self._author.projects_path)
        with self._lock:
            self.reads[result] += 1
            title = next(self._titles) if self._titles is not None else None
        if title is not None:
            result = publishing(client, self._author, title)
            with self._lock:
                self.published[title] = result


def outcome(client: Proxied, method: str, path: str) -> str:
    try:
        return str(client.ask(method, path).status_code)
    except (OSError, HTTPException) as error:
        client.close()
        return type(error).__name__


def publishing(client: Proxied, author: Member, title: str) -> str:
    try:
        project = {'title': title, 'body': 'text'}
        return str(client.post('/v1/projects', project, author.bearer).status_code)
    except (OSError, HTTPException) as error:
        client.close()
        return type(error).__name__


def is_out(rig: Rig, api: ServedApi) -> bool:
    """Whether Traefik has noticed that this API is not to be sent requests."""
    return rig.traefik.server_status()[api.url] == 'DOWN'


def start_again(rig: Rig, api: ServedApi) -> None:
    """On its port, as a container that is started again."""
    api.environ['PORT'] = api.url.rpartition(':')[2]
    api.start()
    wait_until(lambda: not is_out(rig, api), 'Traefik notices')


def lists_of(api: ServedApi) -> int:
    return api.log().count('/projects 200')


def test_an_api_that_is_told_to_stop_under_load_fails_no_request_and_is_used_again_when_it_is_back(
    rig: Rig, author: Member, first: ServedApi
) -> None:
    staying = rig.apis[1]
    before = lists_of(first), lists_of(staying)
    load = Load(rig, author)

    with load.running():
        load.go_on(200)
        first.terminate()
        wait_until(lambda: is_out(rig, first), 'Traefik notices')
        load.go_on(200)
        # A second signal ends the drain.
        first.terminate()
        assert first.wait() == 0
        load.go_on(200)
        at_its_end = lists_of(first)
        start_again(rig, first)
        wait_until(lambda: lists_of(first) > at_its_end, 'the API is used again')

    assert load.reads.keys() == {'200'}
    assert at_its_end - before[0] > 50
    assert lists_of(staying) - before[1] > 400


def test_an_api_that_dies_under_load_costs_what_was_in_hand_and_no_post_is_done_twice(
    rig: Rig, author: Member, first: ServedApi
) -> None:
    titles = (f'Title {number}' for number in range(1_000_000))
    load = Load(rig, author, titles=titles)

    with load.running():
        load.go_on(100)
        first.kill()
        load.go_on(150)
        wait_until(lambda: is_out(rig, first), 'Traefik notices')
        load.go_on(100)

    statuses = Counter(load.published.values())
    # A GET is asked for again, unless its answer had begun to come: Traefik says 500 then.
    assert load.reads.keys() <= {'200', '500'} and statuses.keys() <= {'201', '500', '502'
                                                                       }, (load.reads, statuses)
    # More than one request each the clients cannot have had in hand in that moment.
    assert load.reads['500'] + statuses['500'] + statuses['502'] <= CLIENTS, (load.reads, statuses)
    with closing(connect(rig.database_url)) as database:
        times = {
            title: select_one(database, 'SELECT count(*) FROM projects WHERE title = %s', title)
            for title in load.published
        }
    assert max(times.values()) == 1
    assert [title for title, status in load.published.items() if status == '201' and times[title] != 1] == []


def test_of_requests_in_hand_only_what_is_safe_is_done_again(
    rig: Rig, author: Member, first: ServedApi, tmp_path: Path
) -> None:
    dying, staying = HeldBack('GET', 'POST'), HeldBack('GET', 'POST')

    def read() -> str:
        with traefik.client(source=new_address()) as client:
            return outcome(client, 'GET', author.projects_path)

    def publish_one(number: int) -> str:
        with traefik.client(source=new_address()) as client:
            return publishing(client, author, f'In hand {number}')

    with (
        TcpProxy.before(first.url) as to_dying,
        TcpProxy.before(rig.apis[1].url) as to_staying,
        Traefik(tmp_path, [to_dying.url, to_staying.url], changes=EAGER_CHECKS) as traefik,
        ThreadPoolExecutor(2 * CLIENTS) as pool,
    ):
        to_dying.go_by(dying)
        to_staying.go_by(staying)
        reads = [pool.submit(read) for _ in range(CLIENTS)]
        posts = [pool.submit(publish_one, number) for number in range(CLIENTS)]
        wait_until(
            lambda: requests_in(dying) + requests_in(staying) == 2 * CLIENTS, 'all requests are in hand'
        )
        lost = dying.paths.count('/v1/projects')
        to_dying.refuse_new()
        dying.cut()
        staying.let_go()
        read_results, post_results = (Counter(one.result() for one in asked) for asked in (reads, posts))

    assert 0 < requests_in(dying) < 2 * CLIENTS
    assert read_results == {'200': CLIENTS}
    assert post_results == Counter({'201': CLIENTS - lost, '502': lost})
    with closing(connect(rig.database_url)) as database:
        lost += select_one(database, "SELECT count(*) FROM projects WHERE title LIKE 'In hand %%'")
    assert lost == CLIENTS


def requests_in(held: HeldBack) -> int:
    """Besides Traefik's own checks."""
    return sum(path.endswith('/projects') for path in held.paths)
