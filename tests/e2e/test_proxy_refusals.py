"""What the proxy itself refuses, in the API's words, and what it lets nobody put on its disk."""
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from uuid import uuid4

import pytest

from tests.support.answers import error_of, ok
from tests.support.members import Member, join
from tests.support.traefik import Traefik
from tests.support.traefik_client import Answer, Proxied
from tests.support.traefik_rig import Rig, new_address
from tests.support.uploads import FORM, IMAGES, form_of, new_picture
from tests.support.waiting import wait_until

MIB = 1024 * 1024
# As traefik_dynamic.toml has them.
LARGEST_BODY = 110 * MIB
LARGEST_TEXT = 2 * MIB
UPLOADS_AT_ONCE = 8

ORIGIN = 'https://www.example.com'


@pytest.fixture(name='member', scope='module')
def _member(rig: Rig) -> Member:
    return join(rig.apis[0])


@pytest.fixture(name='client')
def _client(rig: Rig) -> Iterator[Proxied]:
    with rig.traefik.client(source=new_address()) as client:
        yield client


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
    assert {line['path'] for line in rig.logged(request_id)} == {'/v1/users/me'}


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


def test_a_text_over_the_limit_is_refused_in_the_envelope(rig: Rig, client: Proxied) -> None:
    request_id = uuid4().hex
    headers = {'Content-Type': 'application/json', 'X-Request-ID': request_id, 'Origin': ORIGIN}

    response = client.ask('POST', '/v1/projects', bytes(LARGEST_TEXT + 1), headers)

    assert error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) == 'The request body is too large'
    # So that a page can read it.
    assert response.headers['Access-Control-Allow-Origin'] == ORIGIN
    assert {line['path'] for line in rig.logged(request_id)} == {'/errors/413'}


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
