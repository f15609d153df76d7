"""Bodies that are no JSON object of strings: each is refused, with what is wrong and where."""
import json
from http import HTTPStatus

import pytest
from requests import Response

from tests.support.answers import error_of, ok
from tests.support.members import Member, Person, publish, register, verification_path
from tests.support.served_api import ServedApi

REGISTER = '/v1/accounts/register'
PATHS = [
    REGISTER, '/v1/accounts/login', '/v1/accounts/verify', '/v1/accounts/verify/x',
    '/v1/accounts/verify/resend', '/v1/projects'
]
MALFORMED = 'Malformed JSON in the request body: '
TOO_DEEP = 'The JSON in the request body is nested too deeply'
TOO_LONG = 'The JSON in the request body holds a number that is too long'
TWICE = 'The JSON in the request body has '
NO_OBJECT = 'The request body must be a JSON object'
NOT_UTF8 = 'The request body is not UTF-8 at byte '
DEEP = 100_000
DOCUMENT = '{"email": "x", "password": "x", "username": "x", "title": "x", "body": "x"}'
BODIES: dict[str, tuple[bytes, str]] = {
    'NaN': (b'{"email": NaN}', f'{MALFORMED}NaN is not a JSON value'),
    'Infinity': (b'{"x": [Infinity]}', f'{MALFORMED}Infinity is not a JSON value'),
    '-Infinity': (b'{"x": {"y": -Infinity}}', f'{MALFORMED}-Infinity is not a JSON value'),
    'brackets': (b'[' * DEEP, TOO_DEEP),
    'closed brackets': (b'{"x": ' + b'[' * DEEP + b']' * DEEP + b'}', TOO_DEEP),
    'nested objects': (b'{"x": ' * DEEP, TOO_DEEP),
    'UTF-16 with its mark': (DOCUMENT.encode('utf-16'), NOT_UTF8),
    'UTF-16 LE': (DOCUMENT.encode('utf-16-le'), MALFORMED),
    'UTF-16 BE': (DOCUMENT.encode('utf-16-be'), MALFORMED),
    'UTF-32': (DOCUMENT.encode('utf-32'), NOT_UTF8),
    'Latin-1': ('{"email": "ä"}'.encode('latin-1'), f'{NOT_UTF8}11'),
    'UTF-8 of a surrogate': (b'{"email": "\xed\xa0\x80"}', f'{NOT_UTF8}11'),
    'overlong UTF-8': (b'{"email": "\xc0\x80"}', f'{NOT_UTF8}11'),
    'byte order mark': (b'\xef\xbb\xbf{}', 'The request body must not begin with a byte order mark'),
    'list': (b'[]', NO_OBJECT),
    'list of an object': (f'[{DOCUMENT}]'.encode(), NO_OBJECT),
    'string': (b'"{}"', NO_OBJECT),
    'number': (b'1', NO_OBJECT),
    'true': (b'true', NO_OBJECT),
    'null': (b'null', NO_OBJECT),
    'cut short': (b'{"email": "x', MALFORMED),
    'open': (b'{', MALFORMED),
    'two documents': (b'{}{}', f'{MALFORMED}Extra data (line 1, column 3)'),
    'single quotes': (b"{'email': 'x'}", MALFORMED),
    'trailing comma': (b'{"email": "x",}', MALFORMED),
    'comment': (b'{} // nothing', MALFORMED),
    'form': (b'email=x&password=x', MALFORMED),
    'line break in a string': (b'{"email":\n "x\ny"}', f'{MALFORMED}Invalid control character at'),
    'NUL byte': (b'{"email": "\0"}', f'{MALFORMED}Invalid control character at'),
    'NUL before': (b'\0{}', MALFORMED),
    'twice the same name':
    (b'{"email": "x", "password": "x", "email": "y"}', f"{TWICE}'email' more than once"),
    'twice the same name within': (b'{"x": [{"y": 1, "\\u0079": 2}]}', f"{TWICE}'y' more than once"),
    'long number': (b'{"x": ' + b'1' * 5000 + b'}', TOO_LONG),
}


def post(api: ServedApi, path: str, body: bytes, member: Member) -> Response:
    headers = member.bearer | {'Content-Type': 'application/json'}
    return api.post(path, data=body, headers=headers)


@pytest.mark.parametrize('path', PATHS)
@pytest.mark.parametrize('name', BODIES)
def test_what_is_no_json_object_is_refused(api: ServedApi, author: Member, path: str, name: str) -> None:
    body, expected = BODIES[name]

    message = error_of(post(api, path, body, author), HTTPStatus.BAD_REQUEST)

    assert message.startswith(expected)
    assert len(message) < 200


@pytest.mark.parametrize('character', ['\0', '\ud800', '\udfff', '\udc00\ud800'], ids=ascii)
@pytest.mark.parametrize('key', ['email', 'password', 'username'])
def test_a_registration_with_text_that_cannot_be_stored_is_refused(
    api: ServedApi, author: Member, person: Person, character: str, key: str
) -> None:
    registration = person.registration
    body = registration | {key: registration[key] + character}

    message = error_of(post(api, REGISTER, json.dumps(body).encode(), author), HTTPStatus.BAD_REQUEST)

    what = 'NUL character' if character == '\0' else 'lone surrogate'
    assert message == f"'{key}' must not contain a {what}"
    register(api, person)


@pytest.mark.parametrize('character', ['\0', '\ud800'], ids=ascii)
@pytest.mark.parametrize('key', ['title', 'body'])
def test_a_project_with_text_that_cannot_be_stored_is_refused(
    api: ServedApi, member: Member, character: str, key: str
) -> None:
    body = {'title': 'x', 'body': 'x'} | {key: f'x{character}y'}

    response = post(api, '/v1/projects', json.dumps(body).encode(), member)

    assert f"'{key}' must not contain a " in error_of(response, HTTPStatus.BAD_REQUEST)
    assert ok(api.get(member.projects_path)) == []


@pytest.mark.parametrize('key', ['title', 'body'])
@pytest.mark.parametrize('value', [['x'], {'x': 'y'}, False, 0, 1e400, None], ids=repr)
def test_a_project_with_a_value_that_is_no_string_is_refused(
    api: ServedApi, member: Member, key: str, value: object
) -> None:
    # Infinity, as other writers of JSON spell it.
    body = json.dumps({'title': 'x', 'body': 'x'} | {key: value}).replace('Infinity', '1e400')

    response = post(api, '/v1/projects', body.encode(), member)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == f"'{key}' must be a string"
    assert ok(api.get(member.projects_path)) == []


@pytest.mark.parametrize('character', ['\0', '\ud800'], ids=ascii)
@pytest.mark.parametrize(('path', 'key'), [('/v1/accounts/login', 'email'),
                                           ('/v1/accounts/login', 'password'),
                                           ('/v1/accounts/verify/resend', 'email')])
def test_other_calls_refuse_such_text_too(
    api: ServedApi, author: Member, path: str, key: str, character: str
) -> None:
    body = author.person.login | {key: f'x{character}'}

    response = post(api, path, json.dumps(body).encode(), author)

    assert f"'{key}' must not contain a " in error_of(response, HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize('character', ['\0', '\ud800'], ids=ascii)
@pytest.mark.parametrize('key', ['password', 'username'])
def test_a_takeover_refuses_such_text_too(
    api: ServedApi, author: Member, person: Person, key: str, character: str
) -> None:
    path = verification_path(register(api, person))
    body = {'password': 'what the owner chose', 'username': 'x'} | {key: f'x{character}'}

    response = post(api, path, json.dumps(body).encode(), author)

    assert f"'{key}' must not contain a " in error_of(response, HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize('name', ['\0', '\ud800', '__proto__', 'constructor', ''], ids=ascii)
def test_a_key_that_means_nothing_is_refused_or_ignored_whatever_its_name(
    api: ServedApi, member: Member, name: str
) -> None:
    project = {'title': 'x', name: [name], 'body': 'x'}
    login = {**member.person.login, name: [name]}

    refused = post(api, '/v1/projects', json.dumps(project).encode(), member)
    ignored = post(api, '/v1/accounts/login', json.dumps(login).encode(), member)

    message = error_of(refused, HTTPStatus.BAD_REQUEST)
    assert message.startswith(f"Unknown field '{name}'; this path takes 'title', ")
    assert ok(api.get(member.projects_path)) == []
    assert ok(ignored)['access_token']


def test_text_of_every_plane_comes_back_as_it_was_sent(api: ServedApi, member: Member) -> None:
    title = '\u202e\ufeff\ufffe\uffff\U0001f600\U0010ffff é e\u0301 "\\/ <&>'
    body = f'\x01\x7f\x85\u2028{title}'

    project = publish(api, member, title, body)

    assert (project['title'], project['body']) == (title, body)
    assert ok(api.get(member.projects_path)) == [project]
