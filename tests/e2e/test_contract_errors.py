"""The contract's ground rules: whatever goes wrong, and whoever notices, the envelope says it."""
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection

import pytest
from psycopg2.extensions import connection

from tests.support.answers import error_of, ok
from tests.support.database import execute
from tests.support.members import Member, Person, register
from tests.support.raw_http import exchange, head
from tests.support.served_api import ServedApi

REGISTER = '/v1/accounts/register'
JSON = 'Content-Type: application/json'
CHUNKED = 'Transfer-Encoding: chunked'
# Two mebibytes.
LARGEST_BODY = 2 * 1024 * 1024
LISTED_ORIGINS = ['http://localhost:3000', 'https://www.example.com']
UNLISTED_ORIGINS = [
    'https://evil.example', 'https://example.com', 'http://www.example.com',
    'https://www.example.com.evil.example', 'https://www.example.com:444', 'https://wwwxexample.com', 'null'
]
# Each with what is sent beside the body.
POSTS = [
    REGISTER, '/v1/accounts/login', '/v1/accounts/verify/x', '/v1/accounts/verify/resend', '/v1/projects'
]


@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('GET', '/'),
        ('GET', '/v1'),
        ('GET', '/v1/'),
        ('POST', '/v1/projects/'),
        ('POST', '/v1//projects'),
        ('POST', '/V1/projects'),
        ('POST', '/v2/projects'),
        ('GET', '/v1/users//projects'),
        ('GET', '/v1/users/a/b/projects'),
        ('GET', '/v1/users/a%2Fb/projects'),
        ('GET', '/v1/accounts/verify/'),
        ('GET', '/v1/accounts/verify/a/b'),
        ('GET', '/favicon.ico'),
        ('GET', '/%00'),
        ('GET', '/%FF%FE'),
        ('OPTIONS', '*'),
    ],
)
def test_an_unknown_path_is_404_in_the_envelope(api: ServedApi, method: str, path: str) -> None:
    # By hand, because client libraries tidy paths.
    error_of(exchange(api.url, head(method, path)), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize(
    ('method', 'path', 'allowed'),
    [
        ('GET', REGISTER, {'POST', 'OPTIONS'}),
        ('GET', '/v1/accounts/login', {'POST', 'OPTIONS'}),
        ('GET', '/v1/accounts/verify', {'POST', 'OPTIONS'}),
        ('PUT', '/v1/accounts/verify/x', {'GET', 'HEAD', 'POST', 'OPTIONS'}),
        ('GET', '/v1/projects', {'POST', 'OPTIONS'}),
        ('DELETE', '/v1/projects', {'POST', 'OPTIONS'}),
        ('PATCH', '/v1/users/x/projects', {'GET', 'HEAD', 'OPTIONS'}),
        ('TRACE', '/v1/users/x/projects', {'GET', 'HEAD', 'OPTIONS'}),
        ('POST', '/health/live', {'GET', 'HEAD', 'OPTIONS'}),
        ('UNHEARDOF', '/v1/projects', {'POST', 'OPTIONS'}),
    ],
)
def test_a_method_that_a_path_lacks_is_405_in_the_envelope_with_those_that_it_has(
    api: ServedApi, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.request(method, path)

    error_of(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    assert set(answer.headers['Allow'].split(', ')) == allowed


def test_an_error_is_json_also_for_a_browser(api: ServedApi) -> None:
    error_of(api.get('/', headers={'Accept': 'text/html'}), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize('path', POSTS)
@pytest.mark.parametrize('body', [None, b'', b' \r\n\t'], ids=['none', 'empty', 'blank'])
def test_a_body_that_is_absent_or_empty_is_400(
    api: ServedApi, author: Member, path: str, body: bytes | None
) -> None:
    answer = api.post(path, data=body, headers=author.bearer)

    assert error_of(answer, HTTPStatus.BAD_REQUEST) == 'Missing request body'


@pytest.mark.parametrize('path', POSTS)
@pytest.mark.parametrize(
    'media_type', [
        'text/plain',
        'text/json',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/jsonx',
        'application/',
    ]
)
def test_a_body_that_is_said_not_to_be_json_is_415(
    api: ServedApi, author: Member, path: str, media_type: str
) -> None:
    answer = api.post(path, data=b'{}', headers=author.bearer | {'Content-Type': media_type})

    assert "'application/json'" in error_of(answer, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


@pytest.mark.parametrize(
    'media_type', [
        None,
        'application/json',
        'APPLICATION/JSON',
        'application/json; charset=utf-8',
        'application/json;charset="UTF-8"',
        'application/merge-patch+json',
    ]
)
def test_a_body_that_is_said_to_be_json_is_read(api: ServedApi, media_type: str | None) -> None:
    headers = {} if media_type is None else {'Content-Type': media_type}

    answer = api.post(REGISTER, data=b'{}', headers=headers)

    assert error_of(answer, HTTPStatus.BAD_REQUEST) == "Expected 'email' key"


def test_a_body_over_the_limit_is_413(api: ServedApi) -> None:
    answer = api.post(REGISTER, data=b' ' * (LARGEST_BODY + 1))

    error_of(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_a_body_over_the_limit_is_413_before_any_of_it_has_come(api: ServedApi) -> None:
    request = head('POST', REGISTER, JSON, 'Content-Length: 99999999999')

    error_of(exchange(api.url, request), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_a_body_over_the_limit_is_413_also_when_its_length_is_not_announced(api: ServedApi) -> None:

    def chunks() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // 2**16 + 1):
            yield b' ' * 2**16

    answer = api.post(REGISTER, data=chunks())

    error_of(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@pytest.mark.parametrize('chunked', [False, True], ids=['announced', 'chunked'])
def test_a_body_of_just_the_limit_is_read_to_its_end(api: ServedApi, chunked: bool) -> None:
    body = b'{' + b' ' * (LARGEST_BODY - 2) + b'}'

    answer = api.post(REGISTER, data=iter([body]) if chunked else body)

    assert error_of(answer, HTTPStatus.BAD_REQUEST) == "Expected 'email' key"


def test_a_request_line_over_the_limit_is_414(api: ServedApi) -> None:
    answer = exchange(api.url, head('GET', '/v1/users/' + 'x' * 20_000 + '/projects'))

    error_of(answer, HTTPStatus.REQUEST_URI_TOO_LONG)


@pytest.mark.parametrize('lines', [['X: ' + 'x' * 20_000], ['X: x'] * 101], ids=['a long one', 'many'])
def test_headers_over_the_limit_are_431(api: ServedApi, lines: list[str]) -> None:
    answer = exchange(api.url, head('GET', '/health/live', *lines))

    error_of(answer, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


@pytest.mark.parametrize(
    'request_', [
        b'GARBAGE\r\n\r\n',
        b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 as TLS begins\r\n\r\n',
        b'GET /health/live\r\n\r\n',
        b'get /health/live HTTP/1.1\r\nHost: api.test\r\n\r\n',
        b'GET  /health/live HTTP/1.1\r\nHost: api.test\r\n\r\n',
        b'GET /health/live HTTP/2.0\r\nHost: api.test\r\n\r\n',
        b'GET /health/live HTTP/one\r\nHost: api.test\r\n\r\n',
        b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        b'GET /h\xc3\xa4 HTTP/1.1\r\nHost: api.test\r\n\r\n',
        b'GET /health/live HTTP/1.1\nHost: x\n\n',
        b'GET /health/live HTTP/1.1\r\nHost\r\n\r\n',
        b'GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n',
        b'GET /health/live HTTP/1.1\r\nHost: api.test\r\n folded\r\n\r\n',
        b'GET /health/live HTTP/1.1\r\nHost: api.test\r\nX: \x00\r\n\r\n',
        b'GET /health/live HTTP/1.1\r\nHost: api.test\r\nHost: y\r\n\r\n',
        b'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nContent-Length: -1\r\n\r\n',
        b'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1e3\r\n\r\n',
        b'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
        b'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n'
        b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        b'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: gzip\r\n\r\n',
    ]
)
def test_what_is_not_http_is_400_in_the_envelope(api: ServedApi, request_: bytes) -> None:
    error_of(exchange(api.url, request_), HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize(
    ('line', 'status'),
    [
        ('Transfer-Encoding: zip', HTTPStatus.NOT_IMPLEMENTED),
        ('Expect: a miracle', HTTPStatus.EXPECTATION_FAILED),
    ],
)
def test_what_the_server_cannot_do_has_its_own_status_in_the_envelope(
    api: ServedApi, line: str, status: HTTPStatus
) -> None:
    answer = exchange(api.url, head('POST', REGISTER, JSON, line))

    error_of(answer, status)
    assert answer.reason == status.phrase


@pytest.mark.parametrize(
    'body',
    [
        b'zz\r\n{}\r\n0\r\n\r\n',
        b'-2\r\n{}\r\n0\r\n\r\n',
        b'0x2\r\n{}\r\n0\r\n\r\n',
        b'\r\n{}\r\n0\r\n\r\n',
        b'2;=\r\n{}\r\n0\r\n\r\n',
        b'2\r\n{}}\r\n0\r\n\r\n',
        b'2\n{}\n0\n\n' + b' ' * 20_000,
        b'2\r\n{}\r\n0\r\nHost: api.test\r\n\r\n',
    ],
    ids=['no number', 'negative', 'prefix', 'none', 'extension', 'too long', 'bare LF', 'trailer'],
)
def test_a_malformed_chunk_is_400(api: ServedApi, body: bytes) -> None:
    answer = exchange(api.url, head('POST', REGISTER, JSON, CHUNKED) + body)

    message = error_of(answer, HTTPStatus.BAD_REQUEST)
    assert message == 'The request body is malformed or was cut short'


@pytest.mark.parametrize('whole', [
    '2\r\n{}\r\n0\r\n\r\n',
    '1\r\n{\r\n1\r\n}\r\n0\r\nX-Sum: x\r\n\r\n',
])
def test_a_chunked_body_that_is_cut_short_anywhere_is_400(api: ServedApi, whole: str) -> None:
    request = head('POST', REGISTER, JSON, CHUNKED)

    complete = exchange(api.url, request + whole.encode(), end=True)
    cut = [exchange(api.url, request + whole[:length].encode(), end=True) for length in range(len(whole))]

    assert error_of(complete, HTTPStatus.BAD_REQUEST) == "Expected 'email' key"
    assert {error_of(answer, HTTPStatus.BAD_REQUEST)
            for answer in cut} == {'The request body is malformed or was cut short'}


def test_a_body_that_is_shorter_than_announced_is_400_and_does_nothing(
    api: ServedApi, person: Person
) -> None:
    # What has come is a whole registration.
    body = (
        f'{{"email": "{person.email}", "password": "{person.password}", '
        f'"username": "{person.username}"}}'
    )
    request = head('POST', REGISTER, JSON, f'Content-Length: {len(body) + 1}') + body.encode()

    answer = exchange(api.url, request, end=True)

    message = error_of(answer, HTTPStatus.BAD_REQUEST)
    assert message == 'The request body is malformed or was cut short'
    register(api, person)


def test_a_connection_is_still_good_after_an_error(api: ServedApi, author: Member) -> None:
    requests = [
        ('GET', '/nowhere', None, {}),
        ('POST', REGISTER, '{', {}),
        ('POST', '/v1/projects', '{}', {}),
        ('POST', '/v1/projects', '{"title": ""}', author.bearer),
        ('GET', author.projects_path, None, {}),
    ]
    with closing(HTTPConnection(api.url.removeprefix('http://'))) as client:
        client.connect()
        socket = client.sock
        statuses = []
        for method, path, body, headers in requests:
            client.request(method, path, body, headers)
            with client.getresponse() as response:
                response.read()
                statuses.append(response.status)
            # Else the client has made another one.
            assert client.sock is socket

    assert statuses == [404, 400, 403, 400, 200]


def test_a_fault_of_ours_is_500_and_tells_nothing_of_it(
    api: ServedApi, database: connection, member: Member
) -> None:
    headers = {'X-Request-ID': 'the-one-that-fails'}
    execute(database, 'ALTER TABLE projects RENAME TO hidden')
    try:
        answer = api.get(member.projects_path, headers=headers)
    finally:
        execute(database, 'ALTER TABLE hidden RENAME TO projects')

    message = error_of(answer, HTTPStatus.INTERNAL_SERVER_ERROR)
    assert message == 'Something went wrong on our side'
    assert answer.headers['X-Request-ID'] == 'the-one-that-fails'
    told = [line for line in api.log().splitlines() if 'the-one-that-fails' in line]
    assert any('Traceback' in line and 'projects' in line for line in told)
    assert ok(api.get(member.projects_path)) == []


@pytest.mark.parametrize('origin', LISTED_ORIGINS)
@pytest.mark.parametrize('path', ['/health/live', '/nowhere', '/v1/users/nobody/projects'])
def test_a_page_of_a_listed_origin_may_read_answers_and_errors_with_credentials(
    api: ServedApi, origin: str, path: str
) -> None:
    headers = api.get(path, headers={'Origin': origin}).headers

    assert headers['Access-Control-Allow-Origin'] == origin
    assert headers['Access-Control-Allow-Credentials'] == 'true'
    assert 'Origin' in headers['Vary']
    exposed = set(headers['Access-Control-Expose-Headers'].split(', '))
    assert exposed >= {'ETag', 'Link', 'Retry-After', 'X-Request-ID'}


@pytest.mark.parametrize('origin', LISTED_ORIGINS)
@pytest.mark.parametrize('path', POSTS)
def test_a_page_of_a_listed_origin_may_post_with_credentials(api: ServedApi, origin: str, path: str) -> None:
    answer = api.request(
        'OPTIONS',
        path,
        headers={
            'Origin': origin,
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'authorization,content-type'
        }
    )

    assert answer.status_code == HTTPStatus.OK
    assert answer.headers['Access-Control-Allow-Origin'] == origin
    assert answer.headers['Access-Control-Allow-Credentials'] == 'true'
    assert 'POST' in answer.headers['Access-Control-Allow-Methods'].split(', ')
    allowed = {name.lower() for name in answer.headers['Access-Control-Allow-Headers'].split(', ')}
    assert allowed >= {'authorization', 'content-type'}


@pytest.mark.parametrize('method', ['OPTIONS', 'GET', 'POST'])
@pytest.mark.parametrize('origin', UNLISTED_ORIGINS)
def test_a_page_of_an_unlisted_origin_gets_no_leave(api: ServedApi, origin: str, method: str) -> None:
    headers = {'Origin': origin, 'Access-Control-Request-Method': 'POST'}

    answer = api.request(method, '/v1/projects', headers=headers)

    assert [name for name in answer.headers if name.lower().startswith('access-control-')] == []


def test_a_host_name_that_cannot_be_one_is_an_error_in_the_envelope(api: ServedApi) -> None:
    request = f'GET /health/live HTTP/1.1\r\nHost: {"x" * 70}.com\r\n\r\n'.encode()

    error_of(exchange(api.url, request), HTTPStatus.BAD_REQUEST)


def test_the_server_is_fine_after_all_of_it(api: ServedApi) -> None:
    assert ok(api.get('/health/ready')) == {'status': 'ready'}
