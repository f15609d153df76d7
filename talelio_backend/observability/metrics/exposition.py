"""Answers Prometheus on an address of its own, which no proxy leads to."""
import logging
import socket
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, MetricsHandler

# Seconds that somebody who asks may be silent.
_PATIENCE = 10.0

_logger = logging.getLogger(__name__)


def open_listener(host: str, port: int) -> socket.socket:
    """Raises OSError. Every process that is forked afterwards may serve there, and one of them will."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # Several wait for the same connection, and those that come too late should not wait for the next.
    listener.setblocking(False)
    return listener


def serve(listener: socket.socket, registry: CollectorRegistry) -> None:
    """Answer `GET /metrics` in a thread, as long as the process lives."""
    handler = type('Handler', (_Handler, ), {'registry': registry})
    server = _Server(listener.getsockname()[:2], handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    Thread(target=server.serve_forever, name='metrics', daemon=True).start()


class _Handler(MetricsHandler):
    timeout = _PATIENCE

    def do_GET(self) -> None:
        if urlsplit(self.path).path != '/metrics':
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            super().do_GET()

    def version_string(self) -> str:
        return 'talelio_backend'


class _Server(ThreadingHTTPServer):

    def handle_error(self, request: Any, client_address: Any) -> None:
        _logger.warning('the metrics could not be told', exc_info=True)
