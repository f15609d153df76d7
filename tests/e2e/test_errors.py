"""What an error says beside the contract's words: for programs, and for those who ask for Problem Details."""
from http import HTTPStatus

import pytest

from tests.support.answers import error_in
from tests.support.members import Member
from tests.support.raw_http import exchange, head
from tests.support.served_api import ServedApi

PROBLEM = {'Accept': 'application/problem+json'}
REGISTER = '/v1/accounts/register'


def test_every_fault_of_a_body_is_pointed_at(api: ServedApi) -> None:
    response = api.post(REGISTER, {'email': 'a\0b', 'username': 7})

    error = error_in(response, HTTPStatus.BAD_REQUEST)
    assert (error['code'], error['message']) == ('missing_key', "Expected 'password' key")
    assert error['details'] == [
        {
            'in': 'body',
            'pointer': '/email',
            'reason': 'must not contain a NUL character'
        },
        {
            'in': 'body',
            'pointer': '/password',
            'reason': 'is missing'
        },
        {
            'in': 'body',
            'pointer': '/username',
            'reason': 'must be a string'
        },
    ]


def test_a_rule_of_the_business_points_at_its_value(api: ServedApi, author: Member) -> None:
    response = api.request('PATCH', '/v1/users/me', json={'location': 'x' * 101}, headers=author.bearer)

    error = error_in(response, HTTPStatus.BAD_REQUEST)
    assert error['code'] == 'invalid_value'
    reason = 'must have at most 100 characters'
    assert error['details'] == [{'in': 'body', 'pointer': '/location', 'reason': reason}]


def test_a_parameter_is_pointed_at_in_the_query(api: ServedApi, author: Member) -> None:
    error = error_in(api.get(f'{author.projects_path}?limit=x'), HTTPStatus.BAD_REQUEST)

    assert [(detail['in'], detail['pointer']) for detail in error['details']] == [('query', '/limit')]


@pytest.mark.parametrize(
    ('method', 'path', 'status', 'code'),
    [
        ('GET', '/nowhere', HTTPStatus.NOT_FOUND, 'not_found'),
        ('GET', '/v1/projects', HTTPStatus.METHOD_NOT_ALLOWED, 'method_not_allowed'),
        ('POST', '/v1/projects', HTTPStatus.FORBIDDEN, 'missing_access_token'),
        ('POST', REGISTER, HTTPStatus.BAD_REQUEST, 'missing_body'),
        ('GET', '/v1/users/nobody-at-all', HTTPStatus.BAD_REQUEST, 'user_not_found'),
    ],
)
def test_problem_details_are_given_to_who_asks_for_them(
    api: ServedApi, method: str, path: str, status: HTTPStatus, code: str
) -> None:
    usual, problem = api.request(method, path), api.request(method, path, headers=PROBLEM)

    error = error_in(usual, status)
    assert error['code'] == code
    assert problem.status_code == status
    assert problem.headers['Content-Type'] == 'application/problem+json'
    assert problem.json() == {
        'type': 'about:blank',
        'title': status.phrase,
        'status': status.value,
        'detail': error['message'],
        'instance': problem.headers['X-Request-ID'],
        'code': code,
    }
    assert 'Accept' in problem.headers['Vary'].split(', ')


@pytest.mark.parametrize(
    ('authorization', 'challenge'),
    [
        (None, 'Bearer realm="talelio_backend"'),
        ('Bearer', 'Bearer realm="talelio_backend"'),
        (
            'Bearer x',
            'Bearer realm="talelio_backend", error="invalid_token", error_description="Not enough segments"'
        ),
    ],
)
def test_a_403_about_tokens_says_how_to_bring_one(
    api: ServedApi, authorization: str | None, challenge: str
) -> None:
    headers = {} if authorization is None else {'Authorization': authorization}

    response = api.get('/v1/users/me', headers=headers)

    error_in(response, HTTPStatus.FORBIDDEN)
    assert response.headers['WWW-Authenticate'] == challenge


def test_a_401_of_the_login_makes_no_browser_open_a_dialog(api: ServedApi) -> None:
    response = api.post('/v1/accounts/login', {'email': 'nobody@example.com', 'password': 'not a password'})

    assert error_in(response, HTTPStatus.UNAUTHORIZED)['code'] == 'invalid_credentials'
    assert response.headers['WWW-Authenticate'] == 'Bearer realm="talelio_backend"'


@pytest.mark.parametrize(
    ('request_', 'code'),
    [
        (b'GARBAGE\r\n\r\n', 'bad_request'),
        (head('GET', '/' + 'x' * 20_000), 'uri_too_long'),
        (head('GET', '/health/live', 'X: ' + 'x' * 20_000), 'request_header_fields_too_large'),
    ],
    ids=['garbage', 'line', 'header'],
)
def test_what_the_server_refuses_by_itself_has_a_code(api: ServedApi, request_: bytes, code: str) -> None:
    assert exchange(api.url, request_).json()['error']['code'] == code
