"""What the proxy keeps away from the API: floods, bodies without end, clients that take their time."""
import json
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
from tests.support.members import Member, join
from tests.support.traefik import EAGER_CHECKS, Traefik
from tests.support.traefik_client import Answer, Proxied
from tests.support.traefik_rig import Rig, new_address
from tests.support.uploads import IMAGES, form_of, new_picture
from tests.support.waiting import wait_until

MIB = 1024 * 1024
# As traefik_dynamic.toml has them.
BURST = 200
AT_ONCE = 64
LARGEST_BODY = 110 * MIB
LARGEST_TEXT = 2 * MIB
UPLOADS_AT_ONCE = 8
ORIGIN = 'https://www.example.com'

FORM = {'Content-Type': 'multipart/form-data; boundary=b'}


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


@pytest.fixture(name='member', scope='module')
def _member(rig: Rig) -> Member:
    return join(rig.apis[0])


@pytest.fixture(name='client')
def _client(rig: Rig) -> Iterator[Proxied]:
    with rig.traefik.client(source=new_address()) as client:
        yield client


def logged(rig: Rig, request_id: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in rig.api_logs().splitlines() if request_id in line]
    return [line for line in lines if 'remote_address' in line]


@pytest.mark.parametrize(
    'header',
    ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X_Forwarded_For', 'X.Forwarded.For', 'True-Client-IP']
)
def test_the_api_hears_where_a_request_really_comes_from(rig: Rig, header: str) -> None:
    address, request_id = new_address(), uuid4().hex
    with rig.traefik.client(source=address) as client:
        ok(client.get('/health/live', {header: '203.0.113.7', 'X-Request-ID': request_id}))

    line, = logged(rig, request_id)
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


def test_a_body_over_the_limit_is_not_even_read(rig: Rig, member: Member, client: Proxied) -> None:
    request_id = uuid4().hex
    client.putrequest('POST', IMAGES)
    client.putheader('Authorization', member.bearer['Authorization'])
    client.putheader('X-Request-ID', request_id)
    client.putheader('Content-Length', str(LARGEST_BODY + 1))
    client.endheaders()

    assert client.getresponse().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert_only_the_token_was_looked_at(rig, request_id)


def assert_only_the_token_was_looked_at(rig: Rig, request_id: str) -> None:
    assert {line['path'] for line in logged(rig, request_id)} == {'/v1/users/me'}


def test_a_body_that_does_not_say_its_length_is_cut_at_the_limit(
    rig: Rig, member: Member, client: Proxied
) -> None:
    request_id = uuid4().hex
    client.putrequest('POST', IMAGES)
    client.putheader('Authorization', member.bearer['Authorization'])
    client.putheader('X-Request-ID', request_id)
    client.putheader('Transfer-Encoding', 'chunked')
    client.endheaders()
    chunk = b'100000\r\n' + bytes(MIB) + b'\r\n'
    # The connection may be cut while we still send.
    with suppress(OSError):
        for _ in range(LARGEST_BODY // MIB + 10):
            client.send(chunk)

    assert client.getresponse().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert_only_the_token_was_looked_at(rig, request_id)
    wait_until(lambda: not rig.traefik.buffer_files(), 'the disk is free again')


def test_a_body_just_over_the_limit_of_the_api_hears_the_api(member: Member, client: Proxied) -> None:
    response = client.ask('POST', IMAGES, bytes(102 * MIB), {**FORM, **member.bearer})

    assert error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) == 'The request body is too large'


def test_ten_pictures_of_the_largest_size_pass(member: Member, client: Proxied) -> None:
    body = form_of(*(new_picture().ljust(10 * MIB, b'\0') for _ in range(10)))

    document = ok(client.ask('POST', IMAGES, body, {**FORM, **member.bearer}))

    assert len(body) > 100 * MIB
    assert len(document['image_objects_urls']) == 10


def begin_slowly(traefik: Traefik, clients: ExitStack, begun: bytes) -> list[ssl.SSLSocket]:
    """Clients of one address that have sent no more than the beginning of a request."""
    source, begin = new_address(), []
    for _ in range(AT_ONCE):
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
    with ExitStack() as clients:
        slow = begin_slowly(rig.traefik, clients, begun)
        with rig.traefik.client(source=slow[0].getsockname()[0]) as same:
            wait_until(
                lambda: same.get('/health/live').status_code == HTTPStatus.TOO_MANY_REQUESTS,
                'one request too many'
            )
        ok(client.get('/health/live'))


# What the proxy refuses is said in the API's words


def test_a_text_over_the_limit_is_refused_in_the_envelope(rig: Rig, client: Proxied) -> None:
    request_id = uuid4().hex
    headers = {'Content-Type': 'application/json', 'X-Request-ID': request_id, 'Origin': ORIGIN}

    response = client.ask('POST', '/v1/projects', bytes(LARGEST_TEXT + 1), headers)

    assert error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) == 'The request body is too large'
    # So that a page can read it.
    assert response.headers['Access-Control-Allow-Origin'] == ORIGIN
    assert {line['path'] for line in logged(rig, request_id)} == {'/errors/413'}


@pytest.mark.parametrize('path', ['/v1/projects', '/v1/accounts/login'])
def test_a_text_of_the_limit_reaches_the_api(client: Proxied, path: str) -> None:
    response = client.ask('POST', path, b' ' * LARGEST_TEXT, {'Content-Type': 'application/json'})

    assert response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN)


@pytest.mark.parametrize(
    'header, message', [({}, 'No authorization header provided'),
                        ({'Authorization': 'Bearer x', 'If-None-Match': '*'}, 'Not enough segments')]
)  # yapf: disable
def test_who_has_no_token_uploads_nothing(
    rig: Rig, client: Proxied, header: dict[str, str], message: str
) -> None:
    request_id = uuid4().hex
    client.putrequest('POST', IMAGES)
    for name, value in {**FORM, **header, 'X-Request-ID': request_id, 'Content-Length': '9000000'}.items():
        client.putheader(name, value)
    client.endheaders(b'--b')

    response = client.getresponse()

    answer = Answer(status_code=response.status, headers=response.headers, content=response.read())
    assert error_of(answer, HTTPStatus.FORBIDDEN) == message
    assert_only_the_token_was_looked_at(rig, request_id)


def begin_uploads(traefik: Traefik, clients: ExitStack, source: str, member: Member, number: int) -> None:
    """Uploads of one client that lie on the disk in part, and do not go on."""
    headers = {**FORM, **member.bearer, 'Content-Length': str(10 * MIB)}
    head = ''.join(f'{name}: {value}\r\n' for name, value in headers.items())
    for _ in range(number):
        client = clients.enter_context(traefik.client(source=source))
        client.connect()
        assert client.sock is not None
        client.sock.sendall(f'POST {IMAGES} HTTP/1.1\r\nHost: api.test\r\n{head}\r\n'.encode() + bytes(MIB))
    wait_until(lambda: len(traefik.buffer_files()) == number, 'the uploads are on the disk')


def test_one_client_has_so_many_uploads_under_way_and_others_do_not_notice(
    rig: Rig, member: Member, client: Proxied
) -> None:
    source = new_address()
    with ExitStack() as clients:
        begin_uploads(rig.traefik, clients, source, member, UPLOADS_AT_ONCE)
        with rig.traefik.client(source=source) as same:
            refused = same.ask('POST', IMAGES, b'--b--', {**FORM, **member.bearer})
            # It may do anything else.
            ok(same.get('/health/live'))
        document = ok(client.ask('POST', IMAGES, form_of(new_picture()), {**FORM, **member.bearer}))

    assert error_of(refused, HTTPStatus.TOO_MANY_REQUESTS)
    assert int(refused.headers['Retry-After']) > 0
    assert len(document['image_objects_urls']) == 1
