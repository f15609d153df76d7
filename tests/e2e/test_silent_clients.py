"""Clients that fall silent, for good, wherever in a request they please."""
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.support.answers import ok
from tests.support.database import copy_of
from tests.support.members import WHITELIST, Member, join
from tests.support.raw_http import head
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.uploads import IMAGES, new_picture, path_of, send, upload
from tests.support.waiting import wait_until

# More than the threads of the one worker.
CLIENTS = 40


@pytest.fixture(name='impatient', scope='module')
def _impatient(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[ServedApi]:
    environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST), 'WEB_CONCURRENCY': '1', 'CLIENT_TIMEOUT': '1'}
    with copy_of(postgres_url) as url, ServedApi(tmp_path_factory.mktemp('impatient'), url, environ) as api:
        yield api


@pytest.fixture(name='owner', scope='module')
def _owner(impatient: ServedApi) -> Member:
    return join(impatient)


def silent(api: ServedApi, clients: ExitStack, begun: bytes) -> None:
    address = urlsplit(api.url)
    for _ in range(CLIENTS):
        client = clients.enter_context(socket.socket())
        # Little room, so that an answer that nobody reads fills it.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(TIMEOUT)
        client.connect((address.hostname, address.port))
        client.sendall(begun)


def large_picture() -> bytes:
    file = BytesIO()
    Image.effect_noise((2600, 2600), 100).save(file, 'PNG')
    return file.getvalue()


@pytest.mark.parametrize('part', ['nothing', 'first line', 'headers', 'body', 'form', 'answer'])
def test_whoever_falls_silent_holds_no_thread_for_long(
    impatient: ServedApi, owner: Member, part: str
) -> None:
    bearer = f'Authorization: Bearer {owner.token}'
    if part == 'answer':
        image, = upload(impatient, owner, large_picture())
        begun = head('GET', path_of(image['url']))
    else:
        begun = {
            'nothing':
            b'',
            'first line':
            b'GET /health/li',
            'headers':
            b'GET /health/live HTTP/1.1\r\nHost: api.test\r\nX-',
            'body':
            head('POST', '/v1/accounts/login', 'Content-Length: 100') + b'{"email"',
            'form':
            head(
                'POST', IMAGES, bearer, 'Content-Type: multipart/form-data; boundary=x', 'Content-Length: 999'
            ) + b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nabc',
        }[part]
    with ExitStack() as clients:
        silent(impatient, clients, begun)

        ok(impatient.get('/health/live'))
        wait_until(
            lambda: send(impatient, owner, new_picture()).status_code == HTTPStatus.OK, 'uploads are taken'
        )


def test_the_log_does_not_fill_with_tracebacks_of_silent_clients(impatient: ServedApi) -> None:
    with ExitStack() as clients:
        silent(impatient, clients, b'GET /health/li')
        ok(impatient.get('/health/live'))

    assert "Traceback" not in impatient.log()


@pytest.mark.parametrize('part', ['headers', 'body'])
def test_eight_clients_who_send_a_byte_at_a_time_keep_nobody_waiting(api: ServedApi, part: str) -> None:
    """Never silent for long, so nothing cuts them off. Where there is a proxy, it waits instead."""
    rest = b'X: x\r\n\r\n' if part == 'headers' else b'{"a": 1}'
    begun = b'POST /v1/accounts/register HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\n'
    begun += b'Content-Length: 8\r\nConnection: close\r\n'
    address = urlsplit(api.url)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                socket.create_connection((address.hostname, address.port or 80), timeout=TIMEOUT)
            ) for _ in range(8)
        ]
        for client in clients:
            client.sendall(begun if part == 'headers' else begun + b'\r\n')
        for number in range(len(rest)):
            for client in clients:
                client.sendall(rest[number:number + 1])
            assert [api.get('/health/ready').status_code for _ in range(8)] == [HTTPStatus.OK] * 8
        for client in clients:
            if part == 'headers':
                client.sendall(b'{"a": 1}')
            assert b' 400 ' in client.recv(4096).partition(b'\r\n')[0]
