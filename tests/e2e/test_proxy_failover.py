"""What clients notice when one of two APIs stops or dies."""
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.database import connect, execute, select_one
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi
from tests.support.traefik_client import Proxied
from tests.support.traefik_rig import Rig, behind_traefik, new_address
from tests.support.waiting import wait_until

CLIENTS = 8
# Fewer than one address may make before it must wait.
REQUESTS_OF_AN_ADDRESS = 150


@pytest.fixture(name='rig')
def _rig(tmp_path: Path, postgres_url: str) -> Iterator[Rig]:
    # Each test ends one of the APIs.
    with behind_traefik(tmp_path, postgres_url) as rig:
        yield rig


@pytest.fixture(name='author')
def _author(rig: Rig) -> Member:
    author = join(rig.apis[0])
    publish(rig.apis[0], author, 'A chair', 'of *ash*')
    return author


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


def test_an_api_that_is_told_to_stop_under_load_fails_no_request(rig: Rig, author: Member) -> None:
    stopping, staying = rig.apis
    load = Load(rig, author)

    with load.running():
        load.go_on(200)
        stopping.terminate()
        wait_until(lambda: is_out(rig, stopping), 'Traefik notices')
        load.go_on(200)
        assert stopping.wait() == 0
        load.go_on(200)

    assert load.reads.keys() == {'200'}
    assert load.reads.total() >= 650
    assert stopping.log().count('/projects 200') > 50
    assert staying.log().count('/projects 200') > 400


def test_an_api_that_comes_back_is_used_again(rig: Rig, author: Member) -> None:
    gone, _ = rig.apis
    gone.kill()
    wait_until(lambda: is_out(rig, gone), 'Traefik notices')

    # On its port, as a container that is started again.
    gone.environ['PORT'] = gone.url.rpartition(':')[2]
    gone.start()
    wait_until(lambda: not is_out(rig, gone), 'Traefik notices')
    before = gone.log().count('/projects 200')
    load = Load(rig, author)
    with load.running():
        load.go_on(100)

    assert load.reads.keys() == {'200'}
    assert gone.log().count('/projects 200') > before


def test_an_api_that_dies_under_load_costs_what_was_in_hand_and_no_post_is_done_twice(
    rig: Rig, author: Member
) -> None:
    dying, _ = rig.apis
    titles = (f'Title {number}' for number in range(1_000_000))
    load = Load(rig, author, titles=titles)

    with load.running():
        load.go_on(100)
        dying.kill()
        load.go_on(150)
        wait_until(lambda: is_out(rig, dying), 'Traefik notices')
        load.go_on(100)

    # An answer that had begun to come is not asked for again: Traefik says 500 then.
    assert load.reads.keys() <= {'200', '500'} and load.reads['500'] <= 1, load.reads
    statuses = Counter(load.published.values())
    # What was in hand in that moment: more than that many clients cannot have had.
    assert statuses.keys() <= {'201', '500', '502'} and statuses['500'] + statuses['502'] <= CLIENTS, statuses
    with closing(connect(rig.database_url)) as database:
        times = {
            title: select_one(database, 'SELECT count(*) FROM projects WHERE title = %s', title)
            for title in load.published
        }
    assert max(times.values()) == 1
    assert [title for title, status in load.published.items() if status == '201' and times[title] != 1] == []


def waiting_for_locks(rig: Rig) -> int:
    with closing(connect(rig.database_url)) as database:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return int(select_one(database, query))


@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_of_requests_in_hand_only_what_is_safe_is_done_again(rig: Rig, author: Member, method: str) -> None:
    dying, _ = rig.apis

    def ask(number: int) -> str:
        with rig.traefik.client(source=new_address()) as client:
            if method == 'POST':
                return publishing(client, author, f'In hand {number}')
            return outcome(client, method, author.projects_path)

    with ThreadPoolExecutor(CLIENTS) as pool, closing(connect(rig.database_url, autocommit=False)) as holder:
        execute(holder, 'LOCK TABLE projects IN ACCESS EXCLUSIVE MODE')
        asked: list[Future[str]] = [pool.submit(ask, number) for number in range(CLIENTS)]
        wait_until(lambda: waiting_for_locks(rig) == CLIENTS, 'both APIs wait for the database')
        dying.kill()
        if method == 'POST':
            wait_until(lambda: sum(one.done() for one in asked) == CLIENTS // 2, 'the first half fails')
        holder.rollback()
        results = Counter(one.result() for one in asked)

    with closing(connect(rig.database_url)) as database:
        query = "SELECT count(*) FROM projects WHERE title LIKE 'In hand %%'"
        rows = select_one(database, query)
    if method == 'POST':
        assert results == {'201': CLIENTS // 2, '502': CLIENTS // 2}
        assert rows == CLIENTS // 2
    else:
        assert results == {'200': CLIENTS}
