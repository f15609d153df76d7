"""Counts and times requests, including those that middleware responds to."""
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Histogram

from talelio_backend.observability.metrics.sharing import counter, gauge, histogram
from talelio_backend.shared.presentation.requests.environ_keys import CACHE, ROUTE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Arbitrary paths as labels would create unlimited time series.
NO_ROUTE = 'none'

_METHODS = frozenset(('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'))

# Seconds. A cached response takes about 0.0001, a password hash about 0.25.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RequestMetrics:

    def __init__(self) -> None:
        self._answered = counter(
            'talelio_http_requests', 'Completed requests; "cache" is the result of the response cache',
            ('method', 'route', 'status', 'cache')
        )
        self._seconds = histogram(
            'talelio_http_request_duration_seconds',
            'Time from receiving a request until its response is ready to send', ('method', 'route'),
            buckets=_BUCKETS
        )
        self._in_progress = gauge(
            'talelio_http_requests_in_progress', 'Requests in the application, without cached responses'
        )
        self.cache_bytes = gauge(
            'talelio_cache_bytes', 'Memory of cached responses; the limit in each worker is CACHE_MEMORY'
        )
        # Looking up a metric by its labels takes longer than counting.
        self._known: dict[tuple[str, str, str, str], tuple[Counter, Histogram]] = {}

    def around(self, app: 'WSGIApplication') -> 'WSGIApplication':
        """Wrap the application to count requests. It must call `start_response` before it returns."""

        def counted(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
            began = perf_counter()
            status = '500'

            def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
                nonlocal status
                status = line[:3]
                return start_response(line, headers, exc_info)

            try:
                return app(environ, start)
            finally:
                self._count(environ, status, perf_counter() - began)

        return counted

    def while_in_progress(self, app: 'WSGIApplication') -> 'WSGIApplication':
        """Wrap the application to count requests in progress."""

        def counted(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
            with self._in_progress.track_inprogress():
                return app(environ, start_response)

        return counted

    def _count(self, environ: 'WSGIEnvironment', status: str, seconds: float) -> None:
        key = (
            environ['REQUEST_METHOD'], environ.get(ROUTE) or NO_ROUTE, status, environ.get(CACHE) or 'none'
        )
        metrics = self._known.get(key)
        if metrics is None:
            metrics = self._find(*key)
        answered, duration = metrics
        answered.inc()
        duration.observe(seconds)

    def _find(self, method: str, route: str, status: str, cache: str) -> tuple[Counter, Histogram]:
        known = method in _METHODS
        shown = method if known else 'other'
        found = self._answered.labels(shown, route, status, cache), self._seconds.labels(shown, route)
        if known:
            # Clients could invent unlimited methods.
            self._known[method, route, status, cache] = found
        return found
