"""What those who send requests see of a server that stops, or replaces its workers."""
import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.members import Member, join, publish
from tests.support.raw_http import head
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.waiting import wait_until

CLIENTS = 8
LOGIN = '/v1/accounts/login'
JSON = 'Content-Type: application/json'


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
        with closing(http.client.HTTPConnection(self._address, timeout=TIMEOUT)) as connection:
            while not self._over.is_set():
                result = self._ask(connection)
                with self._lock:
                    self.results[result] += 1

    def _ask(self, connection: http.client.HTTPConnection) -> str:
        try:
            connection.request('GET', self._path)
            response = connection.getresponse()
            response.read()
            return str(response.status)
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
    server = serve(api_database_url, {'DRAIN_SECONDS': '600'})
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
    assert 'stopping in 600 s' in server.log()
    # A second signal ends the drain.
    server.terminate()
    assert server.wait() == 0


def test_requests_in_flight_are_finished_after_the_drain(
    serve: Serve, api_database_url: str, author: Member
) -> None:
    server = serve(api_database_url, {'DRAIN_SECONDS': '1', 'GUNICORN_CMD_ARGS': '--graceful-timeout 600'})
    body = json.dumps({'email': author.person.email, 'password': 'not the right one'}).encode()
    begun = head('POST', LOGIN, f'Content-Length: {len(body)}', 'Expect: 100-continue', JSON)
    address = urlsplit(server.url)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection((address.hostname, address.port or 80), TIMEOUT))
            for _ in range(4)
        ]
        for client in clients:
            client.sendall(begun)
            # A worker has the request in hand, and waits for its body.
            assert client.recv(4096).startswith(b'HTTP/1.1 100 ')
        server.terminate()
        # It tells itself so when the drain is over.
        wait_until(lambda: server.log().count('Handling signal: term') == 2, 'the drain is over')
        for client in clients:
            client.sendall(body)
        answers = [client.recv(4096).partition(b'\r\n')[0] for client in clients]

    assert answers == [b'HTTP/1.1 401 UNAUTHORIZED'] * 4
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
