"""What the proxy keeps away from the API: floods, and clients that take their time."""
import selectors
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http import HTTPStatus
from uuid import uuid4

import pytest

from tests.support.answers import error_of, ok
from tests.support.traefik import EAGER_CHECKS, Traefik
from tests.support.traefik_client import Answer, Proxied
from tests.support.traefik_rig import Rig, new_address
from tests.support.waiting import wait_until

# As traefik_dynamic.toml has them.
BURST = 200
AT_ONCE = 64


@pytest.fixture(name='strict', scope='module')
def _strict(tmp_path_factory: pytest.TempPathFactory, rig: Rig) -> Iterator[Traefik]:
    """As production, but for two seconds in place of ten minutes, and a minute in place of a second.

    However slow the machine is, a client is then quicker than its rate.
    """
    folder = tmp_path_factory.mktemp('strict')
    changes = EAGER_CHECKS | {'period = "1s"': 'period = "1m"'}
    urls = [api.url for api in rig.apis]
    with Traefik(folder, urls, read_timeout='2s', changes=changes) as traefik:
        yield traefik


@pytest.fixture(name='client')
def _client(rig: Rig) -> Iterator[Proxied]:
    with rig.traefik.client(source=new_address()) as client:
        yield client


@pytest.mark.parametrize(
    'header',
    ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X_Forwarded_For', 'X.Forwarded.For', 'True-Client-IP']
)
def test_the_api_hears_where_a_request_really_comes_from(rig: Rig, header: str) -> None:
    address, request_id = new_address(), uuid4().hex
    with rig.traefik.client(source=address) as client:
        ok(client.get('/health/live', {header: '203.0.113.7', 'X-Request-ID': request_id}))

    line, = rig.logged(request_id)
    assert line['remote_address'] == address


def flood(traefik: Traefik, source: str) -> list[Answer]:
    """Requests of one client, on several connections and under made-up addresses, until it must wait."""
    over = threading.Event()

    def ask(connection: int) -> list[Answer]:
        answers: list[Answer] = []
        with traefik.client(source=source) as client:
            while not over.is_set():
                header = {'X-Forwarded-For': f'203.0.{connection}.{len(answers) % 250}'}
                answers.append(client.get('/health/live', header))
                if answers[-1].status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    over.set()
        return answers

    with ThreadPoolExecutor(8) as connections:
        return [response for answers in connections.map(ask, range(8)) for response in answers]


def test_who_asks_too_often_must_wait_whatever_address_they_make_up_and_others_need_not(
    strict: Traefik
) -> None:
    source = new_address()

    answers = flood(strict, source)

    with strict.client(source=new_address()) as other:
        ok(other.get('/health/live'))
    served, refused = ([each for each in answers if each.status_code == status]
                       for status in (HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS))
    assert len(served) >= BURST and refused and len(served) + len(refused) == len(answers)
    # At 50 a minute, that is for one more.
    assert {each.headers['Retry-After'] for each in refused} <= {'1', '2'}
    assert {each.headers['Strict-Transport-Security'] for each in refused} == {'max-age=31536000'}
    with strict.client(source=source) as client:
        wait_until(lambda: client.get('/health/live').status_code == HTTPStatus.OK, 'the wait is over')


def begin_slowly(
    traefik: Traefik,
    clients: ExitStack,
    begun: bytes,
    *,
    source: str | None = None,
    number: int = AT_ONCE
) -> list[ssl.SSLSocket]:
    """Clients of one address that have sent no more than the beginning of a request."""
    source, begin = source or new_address(), []
    for _ in range(number):
        client = clients.enter_context(traefik.client(source=source))
        client.connect()
        assert isinstance(client.sock, ssl.SSLSocket)
        client.sock.sendall(begun)
        begin.append(client.sock)
    return begin


def go_on_slowly(connections: list[ssl.SSLSocket], rest: bytes) -> None:
    """Send a byte each at every turn, until Traefik has had enough of all of them."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        for number in range(len(rest)):
            # The wait for an answer is what makes a turn.
            for key, _ in selector.select(timeout=0.5):
                connection = key.fileobj  # type: ignore[assignment]
                assert isinstance(connection, ssl.SSLSocket)
                with suppress(OSError):
                    if connection.recv(4096):
                        continue
                selector.unregister(connection)
            if not selector.get_map():
                return
            for key in list(selector.get_map().values()):
                with suppress(OSError):
                    key.fileobj.send(rest[number:number + 1])  # type: ignore[union-attr]
    raise AssertionError(f'{len(connections)} slow clients, and some are still there')


def slow_request(part: str, request_id: str) -> tuple[bytes, bytes]:
    head = f'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nX-Request-ID: {request_id}\r\n'
    if part == 'headers':
        return f'{head}X-'.encode(), b'x' * 200
    return f'{head}Content-Type: application/json\r\nContent-Length: 299\r\n\r\n{{'.encode(), b' ' * 200


@pytest.mark.parametrize('part', ['headers', 'body'])
def test_slow_clients_stop_nobody_and_the_api_does_not_hear_of_them(
    rig: Rig, client: Proxied, part: str
) -> None:
    request_id = uuid4().hex
    with ExitStack() as clients:
        slow = begin_slowly(rig.traefik, clients, slow_request(part, request_id)[0])

        # As many as both APIs have threads, and more.
        statuses = Counter(client.get('/health/ready').status_code for _ in range(80))
        assert all(connection.fileno() >= 0 for connection in slow)

    assert statuses == {HTTPStatus.OK: 80}
    assert request_id not in rig.api_logs()


@pytest.mark.parametrize('part', ['headers', 'body'])
def test_slow_clients_are_cut_off(rig: Rig, strict: Traefik, part: str) -> None:
    request_id = uuid4().hex
    begun, rest = slow_request(part, request_id)
    with ExitStack() as clients:
        slow = begin_slowly(strict, clients, begun)
        go_on_slowly(slow, rest)

    assert request_id not in rig.api_logs()


def test_one_client_has_so_many_requests_under_way_and_no_more(rig: Rig, client: Proxied) -> None:
    begun, _ = slow_request('body', uuid4().hex)
    source = new_address()
    with ExitStack() as clients, rig.traefik.client(source=source) as same:
        begin_slowly(rig.traefik, clients, begun, source=source)

        def refused() -> bool:
            # One more each time: the place of a slow one may have been taken when it came.
            begin_slowly(rig.traefik, clients, begun, source=source, number=1)
            return same.get('/health/live').status_code == HTTPStatus.TOO_MANY_REQUESTS

        wait_until(refused, 'one request too many')
        response = same.get('/health/live')
        ok(client.get('/health/live'))

    assert error_of(response, HTTPStatus.TOO_MANY_REQUESTS)
    assert int(response.headers['Retry-After']) > 0
