"""Uploads out of all proportion, and uploads that break off."""
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import copy_of
from tests.support.members import WHITELIST, Member, join
from tests.support.raw_http import exchange, head
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.uploads import IMAGES, list_images, new_picture, send, upload
from tests.support.waiting import wait_until

MIB = 1024 * 1024
MULTIPART = 'Content-Type: multipart/form-data; boundary=frontier'


@pytest.fixture(name='small', scope='module')
def _small(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[ServedApi]:
    """A server that takes one file of little more than nothing."""
    environ = {
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
        'IMAGE_MAX_BYTES': '1024',
        'IMAGE_MAX_FILES': '1',
    }
    folder = tmp_path_factory.mktemp('small')
    with copy_of(postgres_url) as url, ServedApi(folder, url, environ) as served:
        yield served


def part(content: bytes, number: int = 0, filename: str | None = 'x.png') -> bytes:
    name = f'; filename="{filename}"' if filename is not None else ''
    return f'--frontier\r\nContent-Disposition: form-data; name="f{number}"{name}\r\n\r\n'.encode() + content + \
        b'\r\n'


def post(api: ServedApi, member: Member, body: bytes, *, length: int | None = None, end: bool = False) -> str:
    request = head(
        'POST', IMAGES, MULTIPART, f'Authorization: Bearer {member.token}',
        f'Content-Length: {len(body) if length is None else length}'
    )
    response = exchange(api.url, request + body, end=end)
    return error_of(response, HTTPStatus(response.status_code))


@pytest.mark.parametrize(
    'parts',
    [
        [part(b'x', number) for number in range(1001)],
        [part(b'x', number, filename=None) for number in range(10_000)],
        [part(b'x' * 300_000, filename=None)],
        [part(b'x', number) for number in range(11)],
    ],
    ids=['1001 files', '10000 fields', 'long field', '11 files'],
)
def test_a_form_out_of_bounds_is_413(api: ServedApi, author: Member, parts: list[bytes]) -> None:
    response = api.request(
        'POST',
        IMAGES,
        data=b''.join([*parts, b'--frontier--\r\n']),
        headers={
            **author.bearer, 'Content-Type': 'multipart/form-data; boundary=frontier'
        },
    )

    error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_a_body_over_the_limit_is_413_without_being_read(api: ServedApi, author: Member) -> None:
    message = post(api, author, part(b'x'), length=110 * MIB)

    assert message == 'The request body is too large'


def test_a_chunked_body_over_the_limit_is_413(small: ServedApi) -> None:
    """The limit is set low, since here the bytes have to be sent."""
    lines = [MULTIPART, f'Authorization: Bearer {join(small).token}', 'Transfer-Encoding: chunked']
    chunk = b'10000\r\n' + b'x' * 0x10000 + b'\r\n'
    body = part(b'x')
    first = f'{len(body):x}\r\n'.encode() + body + b'\r\n'

    response = exchange(small.url, head('POST', IMAGES, *lines) + first + chunk * 40 + b'0\r\n\r\n')

    error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_a_body_that_breaks_off_is_400(api: ServedApi, member: Member) -> None:
    body = part(new_picture()) + b'--frontier--\r\n'

    assert 'malformed or was cut short' in post(api, member, body[:-20], length=len(body), end=True)
    assert 'malformed or was cut short' in post(api, member, body[:-20])
    assert list_images(api, member) == []


def test_a_bad_chunk_is_400(api: ServedApi, author: Member) -> None:
    lines = [MULTIPART, f'Authorization: Bearer {author.token}', 'Transfer-Encoding: chunked']

    response = exchange(api.url, head('POST', IMAGES, *lines) + b'5\r\n--fro\r\nzz\r\n', end=True)

    error_of(response, HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize(
    'filename', ['../../../etc/passwd', '..\\..\\x', 'nul%00.png', '\u202egnp.exe', 'x' * 60_000, '/', 'CON']
)
def test_no_file_name_gets_anywhere(api: ServedApi, author: Member, filename: str) -> None:
    image, = ok(api.request('POST', IMAGES, files={'x': (filename, new_picture())},
                            headers=author.bearer))['images']

    name = image['url'].rpartition('/')[2]
    assert len(name) == 64 + len('.png')


def test_a_file_name_of_2_mb_is_413(api: ServedApi, author: Member) -> None:
    response = api.request('POST', IMAGES, files={'x': ('x' * 2 * MIB, new_picture())}, headers=author.bearer)

    error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_other_routes_keep_their_own_limit(api: ServedApi, author: Member) -> None:
    response = api.post('/v1/projects', {'title': 'x', 'body': 'x' * 3 * MIB}, headers=author.bearer)

    error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_the_same_picture_eight_times_at_once_is_one_image(api: ServedApi, member: Member) -> None:
    picture = new_picture((700, 500))

    images = [document[0] for document in at_once([lambda: upload(api, member, picture)] * 8)]

    assert list_images(api, member) == [images[0]]
    assert all(image == images[0] for image in images)


def test_uploads_that_stand_still_leave_threads_to_the_others(api: ServedApi, member: Member) -> None:
    body = part(new_picture())
    request = head(
        'POST', IMAGES, MULTIPART, f'Authorization: Bearer {member.token}',
        f'Content-Length: {len(body) + 100}'
    )
    address = urlsplit(api.url)
    with ExitStack() as connections:
        # More than all threads of the two workers.
        for _ in range(80):
            connection = socket.create_connection((address.hostname, address.port or 80), timeout=TIMEOUT)
            connections.enter_context(connection).sendall(request + body)

        assert [api.get('/health/live').status_code for _ in range(20)] == [200] * 20

    wait_until(
        lambda: send(api, member, new_picture()).status_code == HTTPStatus.OK, 'uploads are taken again'
    )
