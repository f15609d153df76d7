"""Request ids, health, and the methods that must change nothing."""
import re
from http import HTTPStatus

import pytest

from tests.support.answers import error_of, ok
from tests.support.members import Member, Person, publish
from tests.support.raw_http import exchange, head
from tests.support.served_api import ServedApi

MADE_HERE = re.compile(r'[0-9a-f]{32}')


@pytest.mark.parametrize(
    'given', ['12345678', 'a-Proxy_made.this', 'x' * 128, '4bf92f3577b34da6a3ce929d0e0e4736']
)
@pytest.mark.parametrize('path', ['/health/live', '/nowhere', '/v1/projects'])
def test_a_request_id_is_given_back(api: ServedApi, given: str, path: str) -> None:
    response = api.get(path, headers={'X-Request-ID': given})

    assert response.headers['X-Request-ID'] == given


@pytest.mark.parametrize(
    'given', [
        None, '', 'short', 'x' * 129, 'x' * 5000, 'with space', '<script>alert</script>', 'quo"te"quote',
        'back\\slash', 'umlaut-\xe4', '../../etc/passwd', '{"json": true}', '$' + '{jndi:ldap://x}',
        '12345678;', '12345678,12345678'
    ],
    ids=lambda given: repr(given)[:20]
)
def test_a_request_id_that_could_do_harm_is_replaced(api: ServedApi, given: str | None) -> None:
    lines = [] if given is None else [f'X-Request-ID: {given}']

    answers = [exchange(api.url, head('GET', '/health/live', *lines)) for _ in range(2)]

    ids = [response.headers['X-Request-ID'] for response in answers]
    assert all(MADE_HERE.fullmatch(made) for made in ids)
    assert ids[0] != ids[1]


def test_two_request_ids_are_replaced_by_one(api: ServedApi) -> None:
    request = head('GET', '/health/live', 'X-Request-ID: 12345678', 'X-Request-ID: 87654321')

    response = exchange(api.url, request)

    assert response.headers.get_all('X-Request-ID') == [response.headers['X-Request-ID']]
    assert MADE_HERE.fullmatch(response.headers['X-Request-ID'])


def test_every_error_has_a_request_id(api: ServedApi) -> None:
    answers = [
        api.get('/nowhere'),
        api.get('/v1/projects'),
        api.post('/v1/projects'),
        api.post('/v1/accounts/register', data=b'{'),
        api.post('/v1/accounts/register', data=b'x', headers={'Content-Type': 'text/plain'}),
    ]

    ids = {response.headers['X-Request-ID'] for response in answers}
    assert len(ids) == len(answers)


@pytest.mark.parametrize('state', ['live', 'ready'])
def test_health_is_asked_without_a_token(api: ServedApi, state: str) -> None:
    assert ok(api.get(f'/health/{state}')) == {'status': state}


@pytest.mark.parametrize('path', ['/health/live', '/health/ready'])
def test_head_answers_as_get_does_without_a_body(api: ServedApi, path: str) -> None:
    full, bare = api.get(path), api.request('HEAD', path)

    assert (bare.status_code, bare.content) == (full.status_code, b'')
    for name in ('Content-Type', 'Content-Length'):
        assert bare.headers[name] == full.headers[name]


def test_head_of_a_list_answers_as_get_does_without_a_body(api: ServedApi, member: Member) -> None:
    for number in range(3):
        publish(api, member, f'Title {number}', '')
    path = f'{member.projects_path}?limit=2'

    full, bare = api.get(path), api.request('HEAD', path)

    assert (bare.status_code, bare.content) == (HTTPStatus.OK, b'')
    for name in ('Content-Type', 'Content-Length', 'Link'):
        assert bare.headers[name] == full.headers[name]


def test_head_of_an_error_has_the_status_and_no_body(api: ServedApi) -> None:
    answers = [
        api.request('HEAD', '/nowhere'),
        api.request('HEAD', '/v1/projects'),
        api.request('HEAD', '/v1/users/nobody-has-it/projects'),
    ]

    assert [response.status_code for response in answers] == [404, 405, 400]
    assert {response.content for response in answers} == {b''}


@pytest.mark.parametrize('method', ['HEAD', 'OPTIONS'])
def test_head_and_options_do_not_do_what_post_does(
    api: ServedApi, member: Member, person: Person, method: str
) -> None:
    calls = [
        ('/v1/accounts/register', person.registration),
        ('/v1/projects', {
            'title': 'A title',
            'body': ''
        }),
    ]

    for path, body in calls:
        response = api.request(method, path, json=body, headers=member.bearer)
        expected = HTTPStatus.OK if method == 'OPTIONS' else HTTPStatus.METHOD_NOT_ALLOWED
        assert (response.status_code, response.content) == (expected, b'')

    assert ok(api.get(member.projects_path)) == []
    message = error_of(api.post('/v1/accounts/login', person.login), HTTPStatus.UNAUTHORIZED)
    assert message == 'Invalid username or password'


@pytest.mark.parametrize('method', ['HEAD', 'GET', 'POST'])
def test_options_names_the_methods_of_a_path(api: ServedApi, method: str) -> None:
    response = api.request('OPTIONS', '/v1/accounts/verify/x')

    assert method in response.headers['Allow'].split(', ')


@pytest.mark.parametrize(
    'header', ['X-HTTP-Method-Override: POST', 'X-Method-Override: POST', 'X-Original-URL: /nowhere']
)
def test_no_header_makes_a_request_another_one(api: ServedApi, header: str) -> None:
    response = exchange(api.url, head('GET', '/health/live', header))

    assert ok(response) == {'status': 'live'}


def test_an_absolute_address_is_a_path_too(api: ServedApi) -> None:
    assert ok(exchange(api.url, head('GET', 'http://elsewhere.example/health/live'))) == {'status': 'live'}


def test_a_client_that_leaves_in_the_middle_of_its_request_disturbs_nobody(api: ServedApi) -> None:
    # More of them than there are threads.
    for _ in range(40):
        with pytest.raises(OSError):
            exchange(api.url, b'POST /v1/accounts/register HTTP/1.1\r\nHost', end=True)

    assert ok(api.get('/health/ready')) == {'status': 'ready'}
