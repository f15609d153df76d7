"""Serves metrics to Prometheus on a separate address, which the proxy does not expose."""
import logging
import socket
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, MetricsHandler

# Seconds that a client may be silent.
_TIMEOUT = 10.0

_logger = logging.getLogger(__name__)


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket for all processes forked afterwards. Raises OSError."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # All processes wake up for a connection; those that lose the race must not block.
    listener.setblocking(False)
    return listener


def serve(listener: socket.socket, registry: CollectorRegistry) -> None:
    """Serve `GET /metrics` in a daemon thread."""
    handler = type('Handler', (_Handler, ), {'registry': registry})
    server = _Server(listener.getsockname()[:2], handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    Thread(target=server.serve_forever, name='metrics', daemon=True).start()


class _Handler(MetricsHandler):
    timeout = _TIMEOUT

    def do_GET(self) -> None:
        if urlsplit(self.path).path != '/metrics':
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            super().do_GET()

    def version_string(self) -> str:
        return 'talelio_backend'


class _Server(ThreadingHTTPServer):

    def handle_error(self, request: Any, client_address: Any) -> None:
        _logger.warning('cannot serve metrics', exc_info=True)
