"""Gives each request an id and writes one line about it when it is answered."""
import logging
import re
import time
from contextvars import ContextVar
from uuid import uuid4

from flask import Flask, Response, g, request

# The request that this thread works on, for every log line written on the way.
request_id: ContextVar[str | None] = ContextVar('request_id', default=None)

# A proxy's id is taken over when it cannot break a log line or a header.
_ACCEPTABLE_ID = re.compile(r'[A-Za-z0-9._-]{8,128}')

_logger = logging.getLogger(__name__)


def add_request_log(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def _begin() -> None:
    given = request.headers.get('X-Request-ID', '')
    request_id.set(given if _ACCEPTABLE_ID.fullmatch(given) else uuid4().hex)
    g.request_began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers['X-Request-ID'] = request_id.get() or ''
    _logger.info(
        '%s %s %s',
        request.method,
        request.path,
        response.status_code,
        extra={
            'method': request.method,
            'path': request.path,
            'status': response.status_code,
            'milliseconds': round((time.perf_counter() - g.request_began) * 1000, 1),
            'remote_address': request.remote_addr,
        }
    )
    return response


def _forget(_error: BaseException | None) -> None:
    # The server keeps its threads, and what it logs next may be about a request that has no id.
    request_id.set(None)
