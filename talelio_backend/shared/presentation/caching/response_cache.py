"""Caches responses to anonymous reads until the public data changes.

Rationale: .github/decisions/0024-response-cache.md.
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

from talelio_backend.shared.presentation.caching.compression import accepted_coding
from talelio_backend.shared.presentation.caching.conditional_requests import evaluate
from talelio_backend.shared.presentation.requests.access_log import (
    REQUEST_ID,
    choose_request_id,
    log_request,
    request_id,
)
from talelio_backend.shared.presentation.requests.environ_keys import CACHE, ROUTE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Seconds; a safety net for changes that are not tracked.
MAX_AGE = 60.0
# One response may take 1/8 of the memory.
_MAX_SHARE = 8
# Approximate bytes of headers and objects per response.
_OVERHEAD = 4096

# The environ key of the function that stores the response.
_STORE = 'talelio.store_response'

_READS = ('GET', 'HEAD')
# Requests with these headers have private responses, depend on more than the key, or have a body.
_BYPASS = frozenset({
    'HTTP_AUTHORIZATION', 'HTTP_IF_MATCH', 'HTTP_IF_UNMODIFIED_SINCE', 'HTTP_TRANSFER_ENCODING',
    'HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK', 'CONTENT_LENGTH'
})
_CONDITIONS = frozenset({'HTTP_IF_NONE_MATCH', 'HTTP_IF_MODIFIED_SINCE'})

# Path, query, host, origin and coding.
_Key = tuple[str | None, ...]


class PublicData(Protocol):

    def version(self) -> Hashable | None:
        """Return the same value as long as the public data is unchanged, or None if that is unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedResponse:
    """A 200 response without its X-Request-ID."""

    content: bytes
    headers: list[tuple[str, str]]
    # For a 304.
    headers_not_modified: list[tuple[str, str]]
    route: str | None
    # Quoted.
    etag: str
    modified: datetime | None
    cached_at: float = field(default_factory=time.monotonic)


class ResponseCache:
    """WSGI middleware."""

    def __init__(
        self,
        app: 'WSGIApplication',
        public: PublicData,
        *,
        memory: int,
        origins: Collection[str],
        on_size_change: Callable[[int], object] = lambda size: None,
    ) -> None:
        """`memory` is in bytes. Requests from origins other than `origins` bypass the cache.

        `on_size_change` is called with the used bytes.
        """
        self._app = app
        self._public = public
        self._origins = {None, *origins}
        self._responses = _CachedResponses(memory, on_size_change)

    def __call__(self, environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        if environ['REQUEST_METHOD'] not in _READS:
            return self._app(environ, start_response)
        # Before any query: later reads are at least as new.
        version = self._public.version()
        key = None if version is None else self._key(environ)
        if version is None or key is None:
            environ[CACHE] = 'bypass'
            return self._app(environ, start_response)
        cached = self._responses.get(key, version)
        if cached is not None:
            return _send(cached, environ, start_response)
        environ[CACHE] = 'miss'
        environ[_STORE] = lambda cached: self._responses.put(key, version, cached)
        return self._app(environ, start_response)

    def _key(self, environ: 'WSGIEnvironment') -> _Key | None:
        origin = environ.get('HTTP_ORIGIN')
        if origin not in self._origins or not _BYPASS.isdisjoint(environ):
            return None
        return (
            environ.get('PATH_INFO'),
            environ.get('QUERY_STRING'),
            environ.get('HTTP_HOST'),
            origin,
            accepted_coding(environ.get('HTTP_ACCEPT_ENCODING')),
        )


def is_cacheable(request: Request) -> bool:
    return _STORE in request.environ


def store(request: Request, response: Response) -> None:
    """Cache a response that depends only on the key."""
    headers = response.get_wsgi_headers(request.environ)
    not_modified = headers.copy()
    remove_entity_headers(not_modified)
    request.environ[_STORE](
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
    """An LRU cache of the responses for one version of the public data."""

    def __init__(self, memory: int, on_size_change: Callable[[int], object]) -> None:
        self._memory = memory
        self._on_size_change = on_size_change
        self._version: Hashable = None
        self._responses: OrderedDict[_Key, CachedResponse] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: _Key, version: Hashable) -> CachedResponse | None:
        with self._lock:
            if version != self._version:
                self._responses.clear()
                self._size = 0
                self._version = version
                self._on_size_change(0)
            cached = self._responses.get(key)
            if cached is None:
                return None
            if time.monotonic() - cached.cached_at > MAX_AGE:
                self._drop(key)
                self._on_size_change(self._size)
                return None
            self._responses.move_to_end(key)
            return cached

    def put(self, key: _Key, version: Hashable, cached: CachedResponse) -> None:
        size = _size_of(key, cached)
        if size > self._memory // _MAX_SHARE:
            return
        with self._lock:
            if version != self._version:
                # The response was built before a change.
                return
            if key in self._responses:
                self._drop(key)
            self._responses[key] = cached
            self._size += size
            while self._size > self._memory:
                self._drop(next(iter(self._responses)))
            self._on_size_change(self._size)

    def _drop(self, key: _Key) -> None:
        self._size -= _size_of(key, self._responses.pop(key))


def _size_of(key: _Key, cached: CachedResponse) -> int:
    # The query may be as long as the limit for request lines.
    return sum(len(part) for part in key if part is not None) + len(cached.content) + _OVERHEAD


def _send(cached: CachedResponse, environ: 'WSGIEnvironment',
          start_response: 'StartResponse') -> Iterable[bytes]:
    began = time.perf_counter()
    environ[CACHE] = 'hit'
    environ[ROUTE] = cached.route
    method = environ['REQUEST_METHOD']
    verdict = None
    if environ.get('HTTP_IF_NONE_MATCH') == cached.etag:
        # The most common condition.
        verdict = HTTPStatus.NOT_MODIFIED
    elif not _CONDITIONS.isdisjoint(environ):
        tag, _ = unquote_etag(cached.etag)
        verdict = evaluate([tag], cached.modified, method=method, headers=EnvironHeaders(environ))
    own_id = choose_request_id(environ.get('HTTP_X_REQUEST_ID'))
    if verdict is None:
        start_response('200 OK', [*cached.headers, (REQUEST_ID, own_id)])
    else:
        start_response('304 NOT MODIFIED', [*cached.headers_not_modified, (REQUEST_ID, own_id)])
    token = request_id.set(own_id)
    log_request(environ, verdict or HTTPStatus.OK, began)
    request_id.reset(token)
    return [cached.content] if verdict is None and method == 'GET' else []
