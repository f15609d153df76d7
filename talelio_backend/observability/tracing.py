"""OpenTelemetry traces; see .github/decisions/0025-observability.md.

Import it only if tracing is enabled: its packages are optional.
"""
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine, ExceptionContext, event

from talelio_backend.shared.presentation.requests.environ_keys import CACHE, ROUTE
from talelio_backend.shared.workers.bounded_calls import start_daemon

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STOP_TIMEOUT = 2.0

_NAME = 'talelio_backend'
_METHODS = frozenset(('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'))
# Probes would dominate the traces.
_UNTRACED = '/health/'
_VERB = re.compile(r'\w+')


class Tracing:
    """Spans of requests and SQL statements, without paths, queries, headers or values.

    Create it in the serving process, since it has an exporter thread.
    """

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is the URL of an OTLP collector over HTTP, without `/v1/traces`.

        The SDK's `OTEL_*` variables configure everything else:
        https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
        """
        resource = Resource.create({'service.name': os.environ.get('OTEL_SERVICE_NAME', _NAME)})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=f'{endpoint}/v1/traces'))
        )
        self._tracer = self._provider.get_tracer(_NAME)

    def close(self) -> None:
        """Export pending spans within STOP_TIMEOUT; the SDK would take up to ten seconds."""
        with suppress(TimeoutError):
            start_daemon(self._provider.shutdown).result(STOP_TIMEOUT)

    def around(self, app: 'WSGIApplication') -> 'WSGIApplication':
        """Wrap the application. It must call `start_response` before it returns."""

        def traced(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
            if environ['PATH_INFO'].startswith(_UNTRACED):
                return app(environ, start_response)
            method = environ['REQUEST_METHOD'] if environ['REQUEST_METHOD'] in _METHODS else '_OTHER'
            # Messages of exceptions may contain secrets.
            with self._tracer.start_as_current_span(
                method,
                kind=SpanKind.SERVER,
                links=_links(environ),
                attributes={'http.request.method': method},
                record_exception=False,
                set_status_on_exception=False,
            ) as span:

                def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
                    _set_response(span, int(line[:3]), headers)
                    return start_response(line, headers, exc_info)

                try:
                    return app(environ, start)
                finally:
                    _set_route(span, method, environ)

        return traced

    def watch(self, engine: Engine) -> None:
        """Trace statements. Call this before listeners that modify statements."""
        event.listen(engine, 'before_cursor_execute', self._begin)
        event.listen(engine, 'after_cursor_execute', _end)
        event.listen(engine, 'handle_error', _fail)

    def _begin(
        self, _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        # Skip background threads.
        if get_current_span().is_recording():
            verb = _VERB.search(statement)
            name = verb[0].upper() if verb else 'OTHER'
            # The statement contains placeholders, not values.
            attributes = {
                'db.system.name': 'postgresql',
                'db.operation.name': name,
                'db.query.text': statement
            }
            context.talelio_span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def _links(environ: 'WSGIEnvironment') -> list[Link]:
    """Link to the caller's span. As a parent, it would let clients decide about sampling."""
    carrier = {'traceparent': environ.get('HTTP_TRACEPARENT', '')}
    context = get_current_span(TraceContextTextMapPropagator().extract(carrier)).get_span_context()
    return [Link(context)] if context.is_valid else []


def _set_response(span: Span, status: int, headers: list[tuple[str, str]]) -> None:
    span.set_attribute('http.response.status_code', status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    for name, value in headers:
        if name.lower() == 'x-request-id':
            span.set_attribute('talelio.request_id', value)


def _set_route(span: Span, method: str, environ: 'WSGIEnvironment') -> None:
    for name, key in (('http.route', ROUTE), ('talelio.cache', CACHE)):
        if environ.get(key):
            span.set_attribute(name, environ[key])
    if environ.get(ROUTE):
        span.update_name(f'{method} {environ[ROUTE]}')


def _end(*details: Any) -> None:
    span: Span | None = getattr(details[4], 'talelio_span', None)
    if span is not None:
        span.end()


def _fail(context: ExceptionContext) -> None:
    span: Span | None = getattr(context.execution_context, 'talelio_span', None)
    if span is not None:
        # Such as UniqueViolation.
        span.set_attribute('error.type', type(context.original_exception).__name__)
        span.set_status(Status(StatusCode.ERROR))
        span.end()
