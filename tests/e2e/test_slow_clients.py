"""Clients that send a byte now and then, and no proxy that waits for them."""
import json
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Serve
from tests.support.answers import ok
from tests.support.raw_http import exchange, head
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.waiting import wait_until

# More than the threads of the one worker.
CLIENTS = 70
FOR_EVER = 3600  # seconds

JSON = 'Content-Type: application/json'


@pytest.fixture(name='serve_slow')
def _serve_slow(serve: Serve, api_database_url: str) -> Callable[..., ServedApi]:
    if os.environ.get('TEST_SERVER_PREFIX'):
        pytest.skip('the configuration is not installed where the server runs')

    def serve_slow(**limits: object) -> ServedApi:
        environ = {
            'SLOW_CLIENTS': json.dumps(limits),
            'WEB_CONCURRENCY': '1',
            # Nothing else ends a connection.
            'CLIENT_TIMEOUT': str(FOR_EVER),
            'KEEP_ALIVE': '600',
        }
        return serve(api_database_url, environ, config='tests.support.slow_clients_config')

    return serve_slow


def connected(api: ServedApi, clients: ExitStack, source: str = '127.0.0.1') -> socket.socket:
    address = urlsplit(api.url)
    return clients.enter_context(
        socket.create_connection((address.hostname, address.port or 80), TIMEOUT, (source, 0))
    )


@pytest.mark.parametrize(
    'begun', [b'', b'\r\n', b'GET /hea', b'GET /health/live HTTP/1.1\r\nHost: api.test\r\nX-']
)
def test_heads_that_have_not_come_hold_no_threads(serve_slow: Callable[..., ServedApi], begun: bytes) -> None:
    api = serve_slow(HEAD_TIMEOUT=FOR_EVER)
    whole = b'GET /health/live HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\nConnection: close\r\n\r\n'
    whole = whole if whole.startswith(begun) else begun + whole
    with ExitStack() as stack:
        clients = [connected(api, stack) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(begun)

        assert [api.get('/health/ready').status_code for _ in range(3)] == [HTTPStatus.OK] * 3

        # All of them were waited for.
        for client in clients:
            client.sendall(whole[len(begun):])
        assert {client.recv(4096).partition(b'\r\n')[0] for client in clients} == {b'HTTP/1.1 200 OK'}


@pytest.mark.parametrize(
    ('begun', 'limits'),
    [
        (b'GET /health/live HTTP/1.1\r\nHost: api.test\r\nX-A: ', {'HEAD_TIMEOUT': 0.5}),
        (head('POST', '/v1/accounts/login', JSON, 'Content-Length: 9000'), {'BODY_GRACE': 0.5}),
        (
            head('POST', '/v1/accounts/login', JSON, 'Transfer-Encoding: chunked') + b'2000\r\n',
            {'BODY_GRACE': 0.5},
        ),
    ],
    ids=['head', 'body', 'chunks'],
)  # yapf: disable
def test_whoever_sends_a_byte_now_and_then_is_cut_off(
    serve_slow: Callable[..., ServedApi], begun: bytes, limits: dict[str, float]
) -> None:
    api = serve_slow(**limits)

    with ExitStack() as stack:
        client = connected(api, stack)
        client.sendall(begun)
        client.setblocking(False)
        wait_until(lambda: is_cut_off(client), 'the connection ends')

    ok(api.get('/health/live'))
    assert 'Traceback' not in api.log()


def is_cut_off(client: socket.socket) -> bool:
    try:
        client.send(b'x')
        return client.recv(4096) == b''
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_an_address_holds_some_of_the_threads_at_most(serve_slow: Callable[..., ServedApi]) -> None:
    api = serve_slow(PER_ADDRESS=5, UNLIMITED=[], BODY_GRACE=FOR_EVER)
    with ExitStack() as stack:
        # Connections of the server's start may count for a moment.
        clients = [
            client for _ in range(5) for client in wait_until(lambda: accepted(api, stack), 'a thread waits')
        ]

        assert is_refused(api)
        other = connected(api, stack, '127.0.0.2')
        other.sendall(head('GET', '/health/ready'))
        assert other.recv(4096).startswith(b'HTTP/1.1 200 ')

        for client in clients:
            client.sendall(b'{}')
            assert client.recv(4096).startswith(b'HTTP/1.1 400 ')
    wait_until(lambda: not is_refused(api), 'connections that ended do not count')


def accepted(api: ServedApi, clients: ExitStack) -> list[socket.socket]:
    """A client whose body a thread waits for; none if the connection is refused."""
    client = connected(api, clients)
    try:
        client.sendall(head('POST', '/v1/accounts/login', JSON, 'Content-Length: 2', 'Expect: 100-continue'))
        return [client] if client.recv(4096).startswith(b'HTTP/1.1 100 ') else []
    except ConnectionError:
        return []


def is_refused(api: ServedApi) -> bool:
    try:
        return exchange(api.url, head('GET', '/health/live')).status_code != HTTPStatus.OK
    except OSError:
        return True


def test_a_head_that_is_too_long_is_refused(api: ServedApi) -> None:
    lines = [f'X-{number}: {"x" * 8000}' for number in range(9)]

    assert exchange(api.url, head('GET', '/health/live', *lines)[:-2]).status_code \
        == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
