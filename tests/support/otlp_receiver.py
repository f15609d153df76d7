"""A collector of traces on a free loopback port, as far as the service needs one."""
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

# Made when it is imported, so that Pylint does not see it.
# pylint: disable-next=no-name-in-module
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# The image, in which these tests are run as well, comes without the packages.
CAN_TRACE = not os.environ.get('TEST_SERVER_PREFIX')


@dataclass(frozen=True, kw_only=True)
class ReceivedSpan:
    service: str
    name: str
    # Of the protocol: 2 serves, 3 asks.
    kind: int
    trace: bytes
    id: bytes
    parent: bytes
    links: list[bytes]
    # 2 is an error.
    status: int
    attributes: dict[str, Any]


class OtlpReceiver:

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):

            def do_POST(self) -> None:  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers['Content-Length']))
                if self.path == '/v1/traces':
                    bodies.append(body)
                self.send_response(200 if self.path == '/v1/traces' else 404)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *_args: object) -> None:  # pylint: disable=arguments-differ
                pass

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environ(self) -> dict[str, str]:
        """For a server that is to send its spans here, at once and as they are."""
        return {
            'OTEL_EXPORTER_OTLP_ENDPOINT': f'http://127.0.0.1:{self._server.server_port}',
            'OTEL_EXPORTER_OTLP_COMPRESSION': 'none',
            'OTEL_BSP_SCHEDULE_DELAY': '50',
        }

    def spans(self) -> Iterator[ReceivedSpan]:
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                about = _values(resource.resource.attributes)
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        yield ReceivedSpan(
                            service=about['service.name'],
                            name=span.name,
                            kind=span.kind,
                            trace=span.trace_id,
                            id=span.span_id,
                            parent=span.parent_span_id,
                            links=[link.span_id for link in span.links],
                            status=span.status.code,
                            attributes=_values(span.attributes),
                        )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof('value')) for each in attributes}
