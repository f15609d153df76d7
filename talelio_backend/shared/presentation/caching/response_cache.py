"""Keeps what everybody may read as it was sent, and sends it again while nothing has changed.

Why it is done this way: .github/decisions/0024-kept-answers.md.
"""
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from flask import Request, Response
from werkzeug.datastructures import EnvironHeaders
from werkzeug.http import remove_entity_headers, unquote_etag
from werkzeug.wsgi import get_path_info

from talelio_backend.shared.presentation.caching.compression import accepted_coding
from talelio_backend.shared.presentation.caching.conditional_requests import evaluate
from talelio_backend.shared.presentation.requests.access_log import (
    REQUEST_ID,
    log_request,
    request_id,
    take_request_id,
)
from talelio_backend.shared.presentation.requests.environ_keys import CACHE, ROUTE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Seconds for which an answer is kept, against whatever changes by time alone and nobody thought of.
LONGEST = 60.0
# An answer may take so large a part of the memory.
_LARGEST_PART = 8
# Bytes that one takes beside its content and its key, about: headers, and what holds them.
_OVERHEAD = 4096

# Where a request carries the function that takes its answer.
_KEEP = 'talelio.keep_answer'

_READS = ('GET', 'HEAD')
# With these an answer is for one person, or depends on more than the key, or comes with something else to do.
_PASSED_BY = frozenset({
    'HTTP_AUTHORIZATION', 'HTTP_IF_MATCH', 'HTTP_IF_UNMODIFIED_SINCE', 'HTTP_TRANSFER_ENCODING',
    'HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK', 'CONTENT_LENGTH'
})
_CONDITIONS = frozenset({'HTTP_IF_NONE_MATCH', 'HTTP_IF_MODIFIED_SINCE'})

# Path, query, host, origin and coding.
_Key = tuple[str | None, ...]


class PublicData(Protocol):

    def moment(self) -> Hashable | None:
        """Return the same as before while nothing public has changed, None when that is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedResponse:
    """A 200, complete but for the request's id."""

    content: bytes
    headers: list[tuple[str, str]]
    # Those of a 304 in its place.
    headers_not_modified: list[tuple[str, str]]
    # The route's template.
    route: str | None
    # As the header has it.
    etag: str
    modified: datetime | None
    kept_at: float = field(default_factory=time.monotonic)


class ResponseCache:
    """Stands before the application."""

    def __init__(
        self,
        app: 'WSGIApplication',
        public: PublicData,
        *,
        memory: int,
        origins: Collection[str],
        on_size_change: Callable[[int], object] = lambda size: None,
    ) -> None:
        """`memory` is in bytes. Pages of `origins` are told that they may read, pages of others are not.

        `on_size_change` is told how many bytes are taken whenever that has changed.
        """
        self._app = app
        self._public = public
        self._origins = {None, *origins}
        self._kept = _CachedResponses(memory, on_size_change)

    def __call__(self, environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        if environ['REQUEST_METHOD'] not in _READS:
            return self._app(environ, start_response)
        # Before anything is read: what is read later is at least as new.
        moment = self._public.moment()
        key = None if moment is None else self._key(environ)
        if moment is None or key is None:
            environ[CACHE] = 'bypass'
            return self._app(environ, start_response)
        answer = self._kept.get(key, moment)
        if answer is not None:
            return _send(answer, environ, start_response)
        environ[CACHE] = 'miss'
        environ[_KEEP] = lambda answer: self._kept.put(key, moment, answer)
        return self._app(environ, start_response)

    def _key(self, environ: 'WSGIEnvironment') -> _Key | None:
        origin = environ.get('HTTP_ORIGIN')
        if origin not in self._origins or not _PASSED_BY.isdisjoint(environ):
            return None
        return (
            environ.get('PATH_INFO'),
            environ.get('QUERY_STRING'),
            environ.get('HTTP_HOST'),
            origin,
            accepted_coding(environ.get('HTTP_ACCEPT_ENCODING')),
        )


def is_wanted(request: Request) -> bool:
    """Whether the answer to the request is wanted for others."""
    return _KEEP in request.environ


def keep(request: Request, response: Response) -> None:
    """Take an answer that is the same for all who send the same `Origin` and `Accept-Encoding`."""
    headers = response.get_wsgi_headers(request.environ)
    not_modified = headers.copy()
    remove_entity_headers(not_modified)
    request.environ[_KEEP](
        CachedResponse(
            content=response.get_data(),
            headers=list(headers),
            headers_not_modified=list(not_modified),
            route=request.environ.get(ROUTE),
            etag=response.headers['ETag'],
            modified=response.last_modified,
        )
    )


class _CachedResponses:
    """Of one moment; those that were not asked for longest make room for others."""

    def __init__(self, memory: int, on_size_change: Callable[[int], object]) -> None:
        self._memory = memory
        self._tell_size = on_size_change
        self._moment: Hashable = None
        self._answers: OrderedDict[_Key, CachedResponse] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: _Key, moment: Hashable) -> CachedResponse | None:
        with self._lock:
            if moment != self._moment:
                self._answers.clear()
                self._size = 0
                self._moment = moment
                self._tell_size(0)
            answer = self._answers.get(key)
            if answer is None:
                return None
            if time.monotonic() - answer.kept_at > LONGEST:
                self._drop(key)
                self._tell_size(self._size)
                return None
            self._answers.move_to_end(key)
            return answer

    def put(self, key: _Key, moment: Hashable, answer: CachedResponse) -> None:
        size = _size_of(key, answer)
        if size > self._memory // _LARGEST_PART:
            return
        with self._lock:
            if moment != self._moment:
                # It was read before a change.
                return
            if key in self._answers:
                self._drop(key)
            self._answers[key] = answer
            self._size += size
            while self._size > self._memory:
                self._drop(next(iter(self._answers)))
            self._tell_size(self._size)

    def _drop(self, key: _Key) -> None:
        self._size -= _size_of(key, self._answers.pop(key))


def _size_of(key: _Key, answer: CachedResponse) -> int:
    # A client may make a query as long as a request's line may be.
    return sum(len(part) for part in key if part is not None) + len(answer.content) + _OVERHEAD


def _send(answer: CachedResponse, environ: 'WSGIEnvironment',
          start_response: 'StartResponse') -> Iterable[bytes]:
    began = time.perf_counter()
    environ[CACHE] = 'hit'
    environ[ROUTE] = answer.route
    method = environ['REQUEST_METHOD']
    verdict = None
    if environ.get('HTTP_IF_NONE_MATCH') == answer.etag:
        # What nearly all send who send conditions.
        verdict = HTTPStatus.NOT_MODIFIED
    elif not _CONDITIONS.isdisjoint(environ):
        tag, _ = unquote_etag(answer.etag)
        verdict = evaluate([tag], answer.modified, method=method, headers=EnvironHeaders(environ))
    own_id = take_request_id(environ.get('HTTP_X_REQUEST_ID'))
    if verdict is None:
        start_response('200 OK', [*answer.headers, (REQUEST_ID, own_id)])
    else:
        start_response('304 NOT MODIFIED', [*answer.headers_not_modified, (REQUEST_ID, own_id)])
    token = request_id.set(own_id)
    log_request(
        method,
        get_path_info(environ),
        verdict or HTTPStatus.OK,
        began,
        environ.get('REMOTE_ADDR'),
        environ,
    )
    request_id.reset(token)
    return [answer.content] if verdict is None and method == 'GET' else []
