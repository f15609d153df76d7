"""What Prometheus is told, by any worker of all of them, on an address that the public does not reach."""
import os
import signal
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
import requests

from talelio_backend.bootstrap.adapters import POOL_SIZE
from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.database import copy_of
from tests.support.members import WHITELIST, Member, log_in, new_person, publish, register
from tests.support.observability import alerts, expressions, labels_in, metrics_in, run_promtool
from tests.support.processes import children_of
from tests.support.prometheus import METRICS, families, metrics_url, scrape, total
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.uploads import new_picture, upload
from tests.support.waiting import wait_until


@pytest.fixture(name='measured', scope='module')
def _measured(tmp_path_factory: pytest.TempPathFactory, postgres_url: str,
              mail_server: SmtpSink) -> Iterator[ServedApi]:
    environ = METRICS | {'SMTP_URL': mail_server.url, 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    # A database of its own, or another server may send the mail.
    with copy_of(postgres_url) as url, ServedApi(tmp_path_factory.mktemp('measured'), url, environ) as served:
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
    assert {requests_of(measured, route=route) - before for _ in range(8)} == {40}
    assert 'nobody-' not in scrape(measured)


def test_what_the_cache_had_to_do_with_a_request_is_counted(measured: ServedApi) -> None:
    route = '/v1/openapi.json'

    def told() -> list[float]:
        return [requests_of(measured, route=route, cache=outcome) for outcome in ('hit', 'miss', 'bypass')]

    # Each of two workers keeps its own.
    wait_until(lambda: measured.get(route).ok and told()[0] >= 2, 'the answer is kept')
    before = told()
    measured.get(route, headers={'Authorization': 'Bearer x'})

    assert before[1] >= 1
    assert told()[2] - before[2] == 1
    assert total(measured, 'talelio_cache_bytes') > 4096


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


def test_what_a_killed_worker_counted_stays_counted(measured: ServedApi) -> None:
    for _ in range(20):
        ok(measured.get('/health/live'))
    before = requests_of(measured, route='/health/live')
    booted = measured.log().count('Booting worker')

    killed = children_of(measured.pid)[0]
    os.kill(killed, signal.SIGKILL)
    # Until then it may still take a connection.
    wait_until(lambda: killed not in children_of(measured.pid), 'worker is dead')
    wait_until(lambda: measured.log().count('Booting worker') > booted, 'worker is replaced')
    ok(measured.get('/health/live'))

    assert requests_of(measured, route='/health/live') > before >= 20
    # What it had in use ended with it.
    limit = 'talelio_db_connections_limit'
    wait_until(lambda: total(measured, limit) == 2 * POOL_SIZE, 'gauges are those of two')
    assert total(measured, 'talelio_process_threads', process='worker', place='0') > 0
    assert total(measured, 'talelio_process_threads', process='worker', place='1') > 0


def test_without_an_address_nothing_listens(api: ServedApi) -> None:
    assert 'metrics are at' not in api.log()


def test_an_address_that_is_taken_keeps_the_server_from_starting(
    measured: ServedApi, serve: Serve, database_url: str
) -> None:
    taken = metrics_url(measured).removeprefix('http://').removesuffix('/metrics')

    with pytest.raises(AssertionError, match='Cannot listen on METRICS_ADDRESS: Address already in use'):
        serve(database_url, {'METRICS_ADDRESS': taken})


@pytest.fixture(name='told', scope='module')
def _told(measured: ServedApi, mail_server: SmtpSink) -> Callable[..., float]:
    """What is told after somebody has done everything once."""
    person = new_person()
    register(measured, person)
    mail, = mail_server.wait_for(to=person.email)
    account = ok(measured.get(link_in(mail).removeprefix('http://api.test')))
    error_of(
        measured.post('/v1/accounts/login', person.login | {'password': 'wrong'}), HTTPStatus.UNAUTHORIZED
    )
    member = Member(person=person, account=account, token=log_in(measured, person))
    publish(measured, member, 'A title', '*text*')
    upload(measured, member, new_picture())
    stranger = new_person().email
    for _ in range(11):
        measured.post('/v1/accounts/login', {'email': stranger, 'password': 'wrong'})
    wait_until(lambda: total(measured, 'talelio_mail_tries_total', outcome='sent') >= 1, 'mail is counted')

    def told(sample: str, **labels: str) -> float:
        return total(measured, sample, **labels)

    return told


@pytest.mark.parametrize(
    ('sample', 'labels', 'least'),
    [
        ('talelio_security_events_total', {'event': 'login.succeeded'}, 1),
        ('talelio_security_events_total', {'event': 'login.failed'}, 11),
        ('talelio_security_events_total', {'event': 'account.registered'}, 1),
        ('talelio_rate_limit_refusals_total', {'policy': 'login'}, 1),
        ('talelio_work_duration_seconds_count', {'what': 'passwords'}, 3),
        ('talelio_work_duration_seconds_count', {'what': 'texts'}, 1),
        ('talelio_work_duration_seconds_count', {'what': 'pictures'}, 1),
        ('talelio_work_duration_seconds_count', {'what': 'picture_changes'}, 1),
        ('talelio_bounded_process_events_total', {'what': 'texts', 'event': 'started'}, 1),
        ('talelio_bounded_process_events_total', {'what': 'pictures', 'event': 'started'}, 1),
        ('talelio_storage_operation_duration_seconds_count', {'operation': 'save'}, 1),
        ('talelio_mail_tries_total', {'outcome': 'sent'}, 1),
        ('talelio_mail_duration_seconds_count', {}, 1),
        ('talelio_db_query_duration_seconds_count', {'statement': 'insert'}, 5),
        ('talelio_db_query_duration_seconds_count', {'statement': 'select'}, 10),
        ('talelio_db_connection_wait_seconds_count', {}, 10),
        ('talelio_db_connections_opened_total', {}, 2),
        ('talelio_db_connections_limit', {}, 22),
        ('talelio_process_resident_memory_bytes', {'process': 'main'}, 10_000_000),
        ('talelio_process_resident_memory_bytes', {'process': 'worker', 'place': '0'}, 30_000_000),
        ('talelio_process_resident_memory_bytes', {'process': 'worker', 'place': '1'}, 30_000_000),
        ('talelio_process_resident_memory_bytes', {'process': 'image_codec'}, 10_000_000),
        ('talelio_process_resident_memory_bytes', {'process': 'markdown_html'}, 10_000_000),
        ('talelio_process_cpu_seconds_total', {'process': 'worker'}, 0.1),
        ('talelio_process_threads', {'process': 'worker'}, 4),
    ],
)  # yapf: disable
def test_what_happened_is_told(
    told: Callable[..., float], sample: str, labels: dict[str, str], least: float
) -> None:
    assert told(sample, **labels) >= least


def test_what_waits_in_the_outbox_is_told(serve: Serve, database_url: str) -> None:
    api = serve(database_url, METRICS | {'SMTP_URL': 'smtp://127.0.0.1:1'})
    assert total(api, 'talelio_outbox_mails') == 0
    register(api, new_person())
    wait_until(lambda: total(api, 'talelio_mail_tries_total', outcome='failed') >= 1, 'a try has failed')

    assert total(api, 'talelio_outbox_mails', status='pending') == 1
    assert total(api, 'talelio_outbox_oldest_pending_seconds') > 0


def test_alerts_and_dashboard_ask_for_what_is_told(told: Callable[..., float], measured: ServedApi) -> None:
    assert told('talelio_http_requests_total') > 0
    there = {sample.name: sample for family in families(measured) for sample in family.samples}

    for who, expression in expressions():
        assert metrics_in(expression) <= there.keys(), who


def test_prometheus_finds_no_fault_with_what_is_told(told: Callable[..., float], measured: ServedApi) -> None:
    assert told('talelio_http_requests_total') > 0

    checked = run_promtool('check', 'metrics', given=scrape(measured))

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, '', '')


def test_every_metric_is_on_the_dashboard(told: Callable[..., float], measured: ServedApi) -> None:
    assert told('talelio_http_requests_total') > 0
    asked = ' '.join(expression for _, expression in expressions())

    assert not [family.name for family in families(measured) if family.name not in asked]


def test_alerts_ask_for_labels_that_are_told(told: Callable[..., float], measured: ServedApi) -> None:
    assert told('talelio_http_requests_total') > 0
    there = {(sample.name, *label)
             for family in families(measured)
             for sample in family.samples
             for label in sample.labels.items()}
    # What did not happen here, and is not told before it does.
    rare = {'status', 'kind', 'instance'}

    for rule in alerts():
        for asked in labels_in(rule['expr']):
            assert asked[1] in rare or asked in there, rule['alert']


def test_the_server_of_a_developer_tells_them_too(serve: Serve, database_url: str) -> None:
    # Its workers read all code anew.
    api = serve(database_url, METRICS | {'ENV': 'development', 'WEB_CONCURRENCY': '1'})

    assert requests_of(api, route='/health/ready') >= 1
    assert total(api, 'talelio_process_resident_memory_bytes', process='worker') > 0
