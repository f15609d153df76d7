"""What those who send requests see of a server that stops, or replaces its workers."""
import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi
from tests.support.waiting import wait_until

CLIENTS = 8


class Load:
    """Clients that keep their connections, as a proxy does, and read a list over and over."""

    def __init__(self, server: ServedApi, member: Member) -> None:
        self._address = urlsplit(server.url).netloc
        self._path = member.projects_path
        self._over = threading.Event()
        self._lock = threading.Lock()
        # How requests ended, and how often: statuses, and names of exceptions.
        self.results: Counter[str] = Counter()

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

    def go_on(self) -> None:
        """Wait until some more requests were made."""
        before = self.results.total()
        wait_until(lambda: self.results.total() > before + 50, 'more requests')

    def _run(self) -> None:
        with closing(http.client.HTTPConnection(self._address, timeout=20)) as connection:
            while not self._over.is_set():
                result = self._ask(connection)
                with self._lock:
                    self.results[result] += 1

    def _ask(self, connection: http.client.HTTPConnection) -> str:
        try:
            connection.request('GET', self._path)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return type(error).__name__


@pytest.fixture(name='author')
def _author(api: ServedApi) -> Member:
    author = join(api)
    publish(api, author, 'A chair', 'of *ash*')
    return author


def is_unready(server: ServedApi) -> bool:
    return server.get('/health/ready').status_code == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_server_that_was_told_to_stop_fails_its_readiness_and_goes_on_serving(
    serve: Serve, api_database_url: str, author: Member
) -> None:
    server = serve(api_database_url, {'DRAIN_SECONDS': '3'})
    load = Load(server, author)

    with load.running():
        server.terminate()
        wait_until(lambda: is_unready(server), 'readiness fails')
        message = error_of(server.get('/health/ready'), HTTPStatus.SERVICE_UNAVAILABLE)
        load.go_on()
        ok(server.get('/health/live'))
    # Here a proxy that looks at the readiness has stopped sending requests.

    assert message == 'The service is about to stop'
    assert load.results.keys() == {'200'}
    assert server.wait() == 0
    assert 'stopping in 3 s' in server.log()


def test_a_server_that_is_told_a_second_time_stops_at_once(serve: Serve, api_database_url: str) -> None:
    server = serve(api_database_url, {'DRAIN_SECONDS': '600'})

    server.terminate()
    wait_until(lambda: is_unready(server), 'readiness fails')
    server.terminate()

    assert server.wait() == 0


def test_requests_in_flight_are_finished(serve: Serve, api_database_url: str, author: Member) -> None:
    # Hashing at this cost takes about half a second, and one waits for another.
    server = serve(api_database_url, {'BCRYPT_COST': '13'})
    wrong = {'email': author.person.email, 'password': 'not the right one'}

    with ThreadPoolExecutor(4) as pool:
        logins = [pool.submit(server.post, '/v1/accounts/login', wrong) for _ in range(4)]
        wait_until(lambda: any(login.done() for login in logins), 'one login')
        server.terminate()
        answers = [login.result() for login in logins]

    assert [answer.status_code for answer in answers] == [HTTPStatus.UNAUTHORIZED] * 4
    assert server.wait() == 0


def test_workers_that_are_replaced_fail_no_request(
    serve: Serve, api_database_url: str, author: Member
) -> None:
    server = serve(api_database_url, {'MAX_REQUESTS': '200'})
    load = Load(server, author)

    with load.running():
        wait_until(lambda: server.log().count('Booting worker') >= 5, 'workers are replaced')

    assert load.results.keys() == {'200'}


def test_an_only_worker_is_not_replaced(serve: Serve, api_database_url: str, author: Member) -> None:
    server = serve(api_database_url, {'MAX_REQUESTS': '10', 'WEB_CONCURRENCY': '1'})
    load = Load(server, author)

    with load.running():
        load.go_on()

    assert load.results.keys() == {'200'}
    assert server.log().count('Booting worker') == 1
