"""Names of hosts are compared without case (RFC 9110, section 4.2.3), and a path has one spelling."""
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.exceptions import BadRequest, NotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def add_target_checks(app: Flask) -> None:
    app.before_request(_check)


def with_lower_case_host(app: 'WSGIApplication') -> 'WSGIApplication':

    def called(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        if 'HTTP_HOST' in environ:
            environ['HTTP_HOST'] = environ['HTTP_HOST'].lower()
        return app(environ, start_response)

    return called


def _check() -> None:
    if 'HTTP_HOST' not in request.environ and request.environ.get('SERVER_PROTOCOL') == 'HTTP/1.1':
        raise BadRequest('A request of HTTP/1.1 must have a Host header')
    if request.environ['PATH_INFO'].startswith('//'):
        # Werkzeug drops all slashes but one at the beginning, and there only.
        raise NotFound()
