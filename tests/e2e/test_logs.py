"""What the server writes down: one JSON object a line, who asked for what, and no secret of anybody."""
import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.database import connect, execute, select_one
from tests.support.members import WHITELIST, Member, Person, join, log_in, new_person, publish, register
from tests.support.raw_http import exchange
from tests.support.served_api import SECRET_KEY, ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import wait_until

PASSWORD = 'planted-password-7c1f'
WRONG_PASSWORD = 'planted-wrong-password-90ab'
SMTP_PASSWORD = 'planted-smtp-password-5d2e'
BODY_TEXT = 'planted-text-of-a-draft-41d0'


@pytest.fixture(name='logged', scope='module')
def _logged(tmp_path_factory: pytest.TempPathFactory, api_database_url: str,
            mail_server: SmtpSink) -> Iterator[ServedApi]:
    """A server that tells all it can."""
    environ = {
        'LOG_LEVEL': 'DEBUG',
        'SMTP_URL': mail_server.url,
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
    }
    with ServedApi(tmp_path_factory.mktemp('logged'), api_database_url, environ) as served:
        yield served


def someone() -> Person:
    person = new_person()
    return Person(email=person.email, username=person.username, password=PASSWORD)


def parsed(log: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.splitlines()]
    for line in lines:
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', line['time'])
        assert {'level', 'logger', 'message', 'request_id'} <= set(line)
    return lines


def parsed_with(server: ServedApi, marker: str) -> list[dict[str, Any]]:
    return parsed('\n'.join(line for line in server.log().splitlines() if marker in line))


def misuse_link(api: ServedApi, link: str) -> None:
    token = link.rpartition('/')[2]
    error_of(api.get(link), HTTPStatus.BAD_REQUEST)
    for method in ('HEAD', 'OPTIONS', 'PUT'):
        api.request(method, link)
    for path in (
        f'{link}x',
        f'{link}/x',
        f'{link}?x={token}',
        f'/v1/accounts/verify//{token}',
        f'/v1/accounts/%76erify/{token}',
        f"/v1/accounts/verify/'{token}'",
        f'/v1/accounts/verify/resend{token}',
        f'/{token}',
        f'/v1/users/{token}/projects',
    ):
        api.get(path)


def misuse_password(api: ServedApi, person: Person, wrong: str) -> None:
    api.post('/v1/accounts/login', person.login | {'password': wrong})
    api.post('/v1/accounts/register', person.registration | {'password': wrong})
    api.post(f'/v1/accounts/login?password={wrong}')
    api.post('/v1/accounts/verify/x', {'password': wrong})
    api.post('/v1/accounts/login', data=f'{{"password": "{wrong}"'.encode())


def misuse_bearer(api: ServedApi, token: str) -> None:
    for authorization in (
        f'Bearer {token}x',
        f'Bearer x{token}',
        f'Token {token}',
        token,
        f'Bearer "{token}"',
        f'Bearer {token} {token}',
    ):
        api.post('/v1/projects', headers={'Authorization': authorization})


def send_what_is_no_request(api: ServedApi, link: str, token: str) -> None:
    for request in (
        f'GET {link}\r\n\r\n',
        f'get {link} HTTP/1.1\r\n\r\n',
        f'GET {link} {token} HTTP/1.1\r\n\r\n',
        f'GET {link}\u00e4 HTTP/1.1\r\n\r\n',
        f'GET {link} HTTP/{token}\r\n\r\n',
        f'GET {link} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}',
        f'{token} / HTTP/1.1\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: {token}\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: api.test\r\n{token}\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: api.test\r\nBearer {token}: x\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: api.test\r\nAuthorization Bearer {token}\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: api.test\r\nX-Request-ID: {token}\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: api.test\r\nExpect: {token}\r\n\r\n',
        f'GET / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: {token}\r\n\r\n',
        f'POST /v1/projects HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n{token}\r\n\r\n',
    ):
        # To one that ends before its time there is no answer.
        with suppress(HTTPException):
            exchange(api.url, request.encode('latin-1'), end=True)


def test_no_secret_is_in_any_line_whatever_goes_wrong(
    logged: ServedApi, api_database_url: str, mail_server: SmtpSink
) -> None:
    began = len(logged.log())
    person = someone()
    account = register(logged, person)
    mail, = mail_server.wait_for(to=person.email)
    link = link_in(mail).removeprefix('http://api.test')
    ok(logged.get(link))
    token = log_in(logged, person)
    publish(logged, Member(person=person, account=account, token=token), 'A title', BODY_TEXT)

    misuse_link(logged, link)
    misuse_password(logged, person, WRONG_PASSWORD)
    misuse_bearer(logged, token)
    send_what_is_no_request(logged, link, token)

    with closing(connect(api_database_url)) as database:
        query = 'SELECT password_hash FROM accounts WHERE id = %s'
        password_hash = select_one(database, query, account['id'])
    # Of a token, what follows its header is as good as the whole.
    tokens = [*link.rpartition('/')[2].split('.')[1:], *token.split('.')[1:]]
    hashes = [password_hash, password_hash.rpartition('$')[2]]
    log = logged.log()[began:]
    planted = [*tokens, *hashes, PASSWORD, WRONG_PASSWORD, SECRET_KEY, BODY_TEXT]
    assert not [secret for secret in planted if secret in log]
    # What is left out leaves a trace.
    assert '/v1/accounts/verify/<redacted>' in log
    assert 'Invalid HTTP request line' in log
    assert 'No more data after' in log
    parsed(log)


def test_every_request_has_a_line_with_its_id_and_what_became_of_it(logged: ServedApi) -> None:
    headers = {'X-Request-ID': 'the-id-of-this-one'}
    logged.get('/v1/users/nobody-has-it/projects?secret=planted-query-c2b1', headers=headers)

    line, = parsed_with(logged, 'the-id-of-this-one')

    assert line.pop('milliseconds') >= 0
    assert line.pop('time')
    assert line == {
        'level': 'INFO',
        'logger': 'talelio_backend.shared.presentation.requests.access_log',
        'message': 'GET /v1/users/nobody-has-it/projects 400',
        'request_id': 'the-id-of-this-one',
        'method': 'GET',
        'path': '/v1/users/nobody-has-it/projects',
        'route': '/v1/users/<username>/projects',
        'account_id': None,
        'status': 400,
        'remote_address': '127.0.0.1',
    }


def test_the_line_of_a_request_says_whose_token_it_showed(logged: ServedApi) -> None:
    member = join(logged)
    asked = uuid4().hex
    ok(logged.get('/v1/accounts/me', headers=member.bearer | {'X-Request-ID': asked}))

    line, = (line for line in parsed_with(logged, asked) if 'path' in line)

    assert (line['account_id'], line['route']) == (member.account['id'], '/v1/accounts/me')


def test_a_line_about_what_is_no_request_has_no_id_of_another(logged: ServedApi) -> None:
    for _ in range(4):
        logged.get('/health/live', headers={'X-Request-ID': 'served-before'})
    exchange(logged.url, b'PLANTED-LINE\r\n\r\n')

    about, = parsed_with(logged, 'PLANTED-LINE')

    assert about['request_id'] is None


@pytest.mark.parametrize(
    'path', [
        '/%0A%7B%22level%22%3A%20%22forged%22%7D',
        '/%0D%0Aforged',
        '/%1B%5B31mforged',
        '/%E2%80%A8forged',
        '/%C2%85forged',
        '/%5Cforged',
        '/%22forged',
        '/%00forged',
        '/v1/accounts/verify/forged%5C',
        '/v1/accounts/verify/forged%0Aforged',
        '/v1/accounts/verify/%22forged',
    ]
)
def test_no_path_can_forge_a_line(logged: ServedApi, path: str) -> None:
    request_id = uuid4().hex
    before = len(logged.log().splitlines())

    logged.get(path, headers={'X-Request-ID': request_id})

    lines = parsed('\n'.join(logged.log().splitlines()[before:]))
    about = [line for line in lines if line['request_id'] == request_id]
    assert [line['level'] for line in about] == ['INFO']
    assert {line['level'] for line in lines} <= {'INFO', 'DEBUG'}


def test_the_passwords_of_the_mail_server_and_the_database_are_in_no_line(
    serve: Serve, database_url: str, smtp_sink: SmtpSink
) -> None:
    # It knows nobody of this name.
    url = smtp_sink.url.replace('//', f'//planted-user:{SMTP_PASSWORD}@')
    api = serve(database_url, {'SMTP_URL': url, 'LOG_LEVEL': 'DEBUG'})
    register(api, new_person())
    wait_until(lambda: 'refused the login' in api.log(), 'failure logged')
    with closing(connect(database_url)) as database:
        execute(database, 'ALTER TABLE outbox RENAME TO hidden')
    wait_until(lambda: 'the mail relay failed' in api.log(), 'worse failure logged')
    api.stop()

    log = api.log()
    assert SMTP_PASSWORD not in log
    assert database_url.rpartition('@')[0].rpartition(':')[2] not in log
    parsed(log)
