"""What a collector of OpenTelemetry's is sent. That no secret is in it: test_planted_secrets.py."""
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from talelio_backend.settings import PROJECT_FOLDER
from tests.e2e.conftest import Serve
from tests.support.database import connect, copy_of, execute
from tests.support.members import WHITELIST, join
from tests.support.otlp_receiver import CAN_TRACE, OtlpReceiver, ReceivedSpan
from tests.support.served_api import ServedApi
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(
    not CAN_TRACE, reason='no packages for traces in the image: build it with EXTRAS=tracing'
)

SERVES, ASKS, ERROR = 2, 3, 2
PROJECTS = '/v1/users/<username>/projects'


@pytest.fixture(name='collector', scope='module')
def _collector() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(name='traced', scope='module')
def _traced(tmp_path_factory: pytest.TempPathFactory, postgres_url: str,
            collector: OtlpReceiver) -> Iterator[ServedApi]:
    environ = collector.environ | {'WEB_CONCURRENCY': '1', 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    with copy_of(postgres_url) as url, ServedApi(tmp_path_factory.mktemp('traced'), url, environ) as served:
        yield served


def span_of(collector: OtlpReceiver, response: requests.Response) -> ReceivedSpan:
    """Wait for the request that was answered so. Its statements end before, and so are there as well."""
    wanted = response.headers['X-Request-ID']

    def found() -> list[ReceivedSpan]:
        return [each for each in collector.spans() if each.attributes.get('talelio.request_id') == wanted]

    wait_until(lambda: bool(found()), 'the span has come')
    span, = found()
    return span


def children_of(collector: OtlpReceiver, span: ReceivedSpan) -> list[ReceivedSpan]:
    return [each for each in collector.spans() if each.parent == span.id and each.trace == span.trace]


def test_a_request_and_its_statements(traced: ServedApi, collector: OtlpReceiver) -> None:
    member = join(traced)
    caller = {'traceparent': f'00-{"ab" * 16}-{"cd" * 8}-01', 'tracestate': 'a=planted'}

    response = traced.get(f'{member.projects_path}?q=planted', headers=caller)

    span = span_of(collector, response)
    assert (span.service, span.name, span.kind) == ('talelio_backend', f'GET {PROJECTS}', SERVES)
    assert span.attributes == {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'http.route': PROJECTS,
        'talelio.cache': 'miss',
        'talelio.request_id': response.headers['X-Request-ID'],
    }
    # Linked, and not below it: who asks does not say what is sampled.
    assert (span.parent, span.links) == (b'', [b'\xcd' * 8])
    statements = children_of(collector, span)
    assert {(each.name, each.kind) for each in statements} == {('SELECT', ASKS)}
    texts = [each.attributes['db.query.text'] for each in statements]
    assert any('FROM projects' in text and '%(words)s' in text for text in texts)
    assert all(each.attributes['db.system.name'] == 'postgresql' for each in statements)
    assert not [body for body in collector.bodies if b'planted' in body]


def test_a_kept_answer_and_a_path_without_a_route(traced: ServedApi, collector: OtlpReceiver) -> None:
    path = join(traced).projects_path
    traced.get(path)

    kept, unknown = span_of(collector, traced.get(path)), span_of(collector, traced.get('/v1/planted'))

    assert kept.attributes['talelio.cache'] == 'hit' and not children_of(collector, kept)
    assert unknown.name == 'GET' and unknown.attributes['http.response.status_code'] == 404
    assert not [body for body in collector.bodies if b'planted' in body]


def test_a_failed_statement(traced: ServedApi, collector: OtlpReceiver) -> None:
    path = join(traced).projects_path
    with closing(connect(traced.environ['DATABASE_URL'])) as database:
        execute(database, 'ALTER TABLE projects RENAME TO hidden')
        failed = traced.get(path)
        execute(database, 'ALTER TABLE hidden RENAME TO projects')

    span = span_of(collector, failed)

    statement, = [each for each in children_of(collector, span) if each.status == ERROR]
    assert statement.attributes['error.type'] == 'UndefinedTable'
    assert span.status == ERROR and span.attributes['http.response.status_code'] == 500


def test_a_collector_that_is_away_holds_up_neither_requests_nor_the_end(
    serve: Serve, api_database_url: str, collector: OtlpReceiver
) -> None:
    api = serve(api_database_url, collector.environ | {'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:1'})

    assert api.get('/v1/nothing').status_code == 404
    wait_until(lambda: 'Transient error' in api.log(), 'it was tried')
    assert api.stop() == 0


def test_nothing_is_imported_for_it_unless_it_is_asked_for() -> None:
    script = 'import sys, talelio_backend.wsgi; print(*[name for name in sys.modules if "telemetry" in name])'
    environ = {
        'PYTHONPATH': str(PROJECT_FOLDER),
        'ENV': 'testing',
        'DATABASE_URL': 'postgresql://nobody@127.0.0.1:1/none'
    }
    result = subprocess.run([sys.executable, '-c', script],
                            env=environ,
                            capture_output=True,
                            text=True,
                            check=True)

    assert result.stdout.split() == []


def test_without_its_packages_the_service_says_so(tmp_path: Path) -> None:
    (tmp_path / 'opentelemetry.py').write_text('raise ModuleNotFoundError\n', encoding='utf-8')
    environ = {
        'PYTHONPATH': f'{tmp_path}:{PROJECT_FOLDER}',
        'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:4318'
    }
    command = [sys.executable, '-m', 'gunicorn', '--config', 'python:talelio_backend.gunicorn_config']
    result = subprocess.run(
        command, env=environ, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert 'OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed' in result.stderr
