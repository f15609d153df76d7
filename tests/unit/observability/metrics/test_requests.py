from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from werkzeug.test import Client

from talelio_backend.observability.metrics.requests import RequestMetrics
from talelio_backend.shared.presentation.requests.environ_keys import CACHE, ROUTE
from tests.support.measured import registry_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def answering(status: str, **facts: str) -> 'WSGIApplication':

    def app(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        environ.update(facts)
        start_response(status, [])
        return [b'answer']

    return app


@pytest.fixture(name='metrics')
def _metrics() -> RequestMetrics:
    return RequestMetrics()


@pytest.fixture(name='registry')
def _registry(metrics: RequestMetrics) -> CollectorRegistry:
    return registry_of(metrics)


def answered(registry: CollectorRegistry, **labels: str) -> float | None:
    return registry.get_sample_value('talelio_http_requests_total', labels)


def test_a_request_is_counted_by_its_route_and_never_by_its_path(
    metrics: RequestMetrics, registry: CollectorRegistry
) -> None:
    app = answering('404 Not Found', **{ROUTE: '/v1/users/<username>', CACHE: 'miss'})
    client = Client(metrics.around(app))
    for path in ('/v1/users/one', '/v1/users/two'):
        assert client.get(path).get_data() == b'answer'

    labels = {'method': 'GET', 'route': '/v1/users/<username>'}
    assert answered(registry, **labels, status='404', cache='miss') == 2
    assert registry.get_sample_value('talelio_http_request_duration_seconds_count', labels) == 2


def test_invented_methods_and_paths_get_no_own_time_series(
    metrics: RequestMetrics, registry: CollectorRegistry
) -> None:
    client = Client(metrics.around(answering('404 Not Found')))
    for method in ('BREW', 'POUR'):
        client.open('/made/up', method=method)

    assert answered(registry, method='other', route='none', status='404', cache='none') == 2
    # Of each family two times: it, and when it was made.
    assert 'BREW' not in str(list(registry.collect()))


def test_a_request_is_in_progress_until_its_response(
    metrics: RequestMetrics, registry: CollectorRegistry
) -> None:
    seen = []

    def app(_environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        seen.append(registry.get_sample_value('talelio_http_requests_in_progress'))
        start_response('204 No Content', [])
        return []

    Client(metrics.while_in_progress(app)).get('/')

    assert seen == [1]
    assert registry.get_sample_value('talelio_http_requests_in_progress') == 0


def test_an_uncaught_exception_counts_as_500(metrics: RequestMetrics, registry: CollectorRegistry) -> None:

    def app(_environ: 'WSGIEnvironment', _start_response: 'StartResponse') -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Client(metrics.around(app)).get('/')

    assert answered(registry, method='GET', route='none', status='500', cache='none') == 1
