"""Assigns an id to each request and logs one line per response."""
import logging
import random
import re
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from flask import Flask, Response, g, has_request_context, request
from werkzeug.wsgi import get_path_info

from talelio_backend.shared.presentation.requests.environ_keys import ACCOUNT, ROUTE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Of the current request, for all log lines.
request_id: ContextVar[str | None] = ContextVar('request_id', default=None)

REQUEST_ID = 'X-Request-ID'

# Ids from a proxy are accepted if they are safe in a log line and a header, and do not look like a JWT.
_ACCEPTABLE_ID = re.compile(r'(?!eyJ)[A-Za-z0-9._-]{8,128}')

_logger = logging.getLogger(__name__)


def add_request_log(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def choose_request_id(given: str | None) -> str:
    """Return the given id if it is acceptable, and a new one otherwise."""
    if given is not None and _ACCEPTABLE_ID.fullmatch(given):
        return given
    # Not secret. os.urandom would release the GIL and so yield to other threads.
    return f'{random.getrandbits(128):032x}'


def log_request(environ: 'WSGIEnvironment', status: int, began: float) -> None:
    """`began` is a `time.perf_counter` value; `environ` has the keys of `environ_keys`."""
    method, path = environ['REQUEST_METHOD'], get_path_info(environ)
    _logger.info(
        '%s %s %s',
        method,
        path,
        status,
        extra={
            'method': method,
            'path': path,
            'route': environ.get(ROUTE),
            'account_id': environ.get(ACCOUNT),
            'status': status,
            'milliseconds': round((time.perf_counter() - began) * 1000, 1),
            'remote_address': environ.get('REMOTE_ADDR'),
        }
    )


def sql_tags() -> list[tuple[str, str]]:
    """Identify the current request, if any; see `shared.data.query_comments`."""
    id_ = request_id.get()
    if id_ is None:
        return []
    tags = [('request_id', id_)]
    if has_request_context() and request.url_rule is not None:
        tags.append(('route', request.url_rule.rule))
    return tags


def _begin() -> None:
    request_id.set(choose_request_id(request.headers.get(REQUEST_ID)))
    g.request_began = time.perf_counter()
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID] = request_id.get() or ''
    log_request(request.environ, response.status_code, g.request_began)
    return response


def _forget(_error: BaseException | None) -> None:
    # Threads are reused, and the server may log between requests.
    request_id.set(None)
