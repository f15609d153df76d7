"""What Prometheus is told, by any worker of all of them, on an address that the public does not reach."""
import os
import signal
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.members import WHITELIST
from tests.support.prometheus import METRICS, metrics_url, scrape, total
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import wait_until


@pytest.fixture(name='measured', scope='module')
def _measured(tmp_path_factory: pytest.TempPathFactory, api_database_url: str,
              mail_server: SmtpSink) -> Iterator[ServedApi]:
    environ = METRICS | {'SMTP_URL': mail_server.url, 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    with ServedApi(tmp_path_factory.mktemp('measured'), api_database_url, environ) as served:
        yield served


def requests_of(api: ServedApi, **labels: str) -> float:
    return total(api, 'talelio_http_requests_total', **labels)


def test_requests_are_counted_over_all_workers_by_route(measured: ServedApi) -> None:
    route = '/v1/users/<username>/projects'
    before = requests_of(measured, route=route)
    for number in range(40):
        error_of(measured.get(f'/v1/users/nobody-{number}/projects'), HTTPStatus.BAD_REQUEST)

    assert requests_of(measured, route=route, method='GET', status='400') - before == 40
    # Whichever worker tells it.
    assert {requests_of(measured, route=route) - before for _ in range(20)} == {40}
    assert 'nobody-' not in scrape(measured)


def test_what_has_no_route_is_counted_as_such(measured: ServedApi) -> None:
    before = requests_of(measured, route='none')
    measured.get('/planted-path')
    measured.request('PUT', '/health/live')

    assert requests_of(measured, route='none') - before == 2
    assert 'planted-path' not in scrape(measured)


def test_the_public_is_told_nothing(measured: ServedApi) -> None:
    error_of(measured.get('/metrics'), HTTPStatus.NOT_FOUND)
    error_of(measured.get('/v1/metrics'), HTTPStatus.NOT_FOUND)


def test_the_address_of_the_metrics_has_nothing_else(measured: ServedApi) -> None:
    url = metrics_url(measured)

    assert requests.get(url.removesuffix('/metrics') + '/v1/openapi.json', timeout=TIMEOUT).status_code == 404
    assert requests.post(url, timeout=TIMEOUT).status_code == 501
    assert requests.get(url, timeout=TIMEOUT).headers['Server'] == 'talelio_backend'


def test_what_a_killed_worker_counted_stays_counted(serve: Serve, database_url: str) -> None:
    api = serve(database_url, METRICS)
    for _ in range(20):
        ok(api.get('/health/live'))
    before = requests_of(api, route='/health/live')
    workers = [
        int(pid) for pid in Path(f'/proc/{api.pid}/task/{api.pid}/children').read_text('ascii').split()
    ]

    os.kill(workers[0], signal.SIGKILL)
    wait_until(lambda: api.log().count('Booting worker') == 3, 'worker is replaced')
    wait_until(lambda: api.get('/health/live').ok, 'all answer')

    assert requests_of(api, route='/health/live') > before >= 20


def test_without_an_address_nothing_listens(api: ServedApi) -> None:
    assert 'metrics are at' not in api.log()


def test_an_address_that_is_taken_keeps_the_server_from_starting(
    measured: ServedApi, serve: Serve, database_url: str
) -> None:
    taken = metrics_url(measured).removeprefix('http://').removesuffix('/metrics')

    with pytest.raises(AssertionError, match='METRICS_ADDRESS cannot be listened at: Address already in use'):
        serve(database_url, {'METRICS_ADDRESS': taken})
