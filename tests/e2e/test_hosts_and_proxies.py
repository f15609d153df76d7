"""Which host names the API answers to, and whom it believes about where a request came from."""
import json
from collections.abc import Iterator
from http import HTTPStatus
from uuid import uuid4

import pytest

from tests.support.answers import error_of, ok
from tests.support.raw_http import exchange
from tests.support.served_api import ServedApi

CLIENT = '203.0.113.7'


@pytest.fixture(name='proxied', scope='module')
def _proxied(tmp_path_factory: pytest.TempPathFactory, api_database_url: str) -> Iterator[ServedApi]:
    """A server that takes the tests themselves for its proxy."""
    environ = {'TRUSTED_PROXIES': '127.0.0.1', 'TRUSTED_HOSTS': 'other.test'}
    with ServedApi(tmp_path_factory.mktemp('proxied'), api_database_url, environ) as served:
        yield served


def logged_address(server: ServedApi, headers: dict[str, str]) -> str:
    request_id = uuid4().hex
    server.get('/health/live', headers={'X-Request-ID': request_id, **headers})
    lines = [json.loads(line) for line in server.log().splitlines() if request_id in line]
    return str(next(line['remote_address'] for line in lines if 'remote_address' in line))


@pytest.mark.parametrize('host', ['api.test', 'API.Test', 'api.test:443', 'LOCALHOST', '127.0.0.1:5000'])
def test_the_api_answers_to_its_own_names(api: ServedApi, host: str) -> None:
    ok(api.get('/health/live', headers={'Host': host}))


@pytest.mark.parametrize(
    'host', ['evil.example', 'api.test.evil.example', 'xapi.test', '10.0.0.7:5000', 'other.test', 'a' * 300]
)
@pytest.mark.parametrize('path', ['/health/live', '/v1/users/nobody/projects', '/nowhere'])
def test_a_request_for_an_unknown_host_is_refused(api: ServedApi, host: str, path: str) -> None:
    message = error_of(api.get(path, headers={'Host': host}), HTTPStatus.BAD_REQUEST)

    assert message == f"Host '{host}' is not trusted."


def test_a_host_that_is_none_is_refused(api: ServedApi) -> None:
    response = exchange(api.url, b'GET /health/live HTTP/1.1\r\nHost: a_b"<>\r\nConnection: close\r\n\r\n')

    assert response.status_code == HTTPStatus.BAD_REQUEST


def test_a_request_names_its_host(api: ServedApi) -> None:
    response = exchange(api.url, b'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n')

    assert error_of(response, HTTPStatus.BAD_REQUEST) == 'A request of HTTP/1.1 must have a Host header'
    ok(exchange(api.url, b'GET /health/live HTTP/1.0\r\n\r\n'))


@pytest.mark.parametrize('path', ['//health/live', '/health//live', '//v1/users/nobody', '///'])
def test_a_doubled_slash_is_another_path(api: ServedApi, path: str) -> None:
    request = f'GET {path} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n'

    error_of(exchange(api.url, request.encode()), HTTPStatus.NOT_FOUND)


def test_a_forwarded_host_counts_for_nothing(proxied: ServedApi) -> None:
    forwarded = {'X-Forwarded-Host': 'api.test', 'Forwarded': 'host=api.test'}

    error_of(
        proxied.get('/health/live', headers={
            'Host': 'evil.example',
            **forwarded
        }), HTTPStatus.BAD_REQUEST
    )
    ok(proxied.get('/health/live', headers={'X-Forwarded-Host': 'evil.example'}))


def test_further_names_can_be_set(proxied: ServedApi) -> None:
    ok(proxied.get('/health/live', headers={'Host': 'other.test'}))


@pytest.mark.parametrize('forwarded', [CLIENT, f'127.0.0.1, {CLIENT}', f'{CLIENT}, {CLIENT}'])
def test_a_proxy_tells_where_a_request_began(proxied: ServedApi, forwarded: str) -> None:
    assert logged_address(proxied, {'X-Forwarded-For': forwarded}) == CLIENT


@pytest.mark.parametrize('header', ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'True-Client-IP'])
def test_a_client_cannot_say_that_it_is_another(api: ServedApi, header: str) -> None:
    assert logged_address(api, {header: CLIENT}) == '127.0.0.1'
