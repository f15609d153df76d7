"""Completes every response: validators, conditional requests, compression and common headers."""
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import Flask, Response, current_app, request

from talelio_backend.shared.business.errors import PreconditionFailed
from talelio_backend.shared.presentation.caching.compression import coding_of, compress
from talelio_backend.shared.presentation.caching.conditional_requests import evaluate, tag_of, tag_when_coded
from talelio_backend.shared.presentation.caching.response_cache import is_cacheable, store
from talelio_backend.shared.presentation.errors.handlers import problem_of
from talelio_backend.shared.presentation.errors.problem_details import problem_response
from talelio_backend.shared.presentation.operation import operation_of

# Views may override these. The resource policy does not apply to CORS requests.
_SECURITY_HEADERS = {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
}

# Caches must revalidate, so that no change is missed.
_PUBLIC = 'public, no-cache'

_VARY = ('Authorization', 'Origin', 'Accept-Encoding')

# Last-Modified cannot express a second change within the same second.
_SETTLED = timedelta(seconds=1)


def add_response_finalizer(app: Flask) -> None:
    app.after_request(finalize_response)


def finalize_response(response: Response) -> Response:
    # Each lookup goes through all headers.
    present = {name for name, _ in response.headers}
    response.headers.extend({name: value for name, value in _SECURITY_HEADERS.items() if name not in present})
    if response.direct_passthrough:
        # The view of a file handles conditions and caching itself.
        return response
    response.vary.update(_VARY)
    if 'Cache-Control' not in response.headers:
        response.headers['Cache-Control'] = _cache_control(response)
    if _shows_its_path(response):
        _validate(response)
    else:
        response.headers.pop('Last-Modified', None)
    return response


def _is_read() -> bool:
    return request.method in ('GET', 'HEAD')


def _cache_control(response: Response) -> str:
    if not _is_read() or response.status_code != HTTPStatus.OK or not _may_be_stored():
        return 'no-store'
    return 'private, no-cache' if 'Authorization' in request.headers else _PUBLIC


def _may_be_stored() -> bool:
    view = current_app.view_functions.get(request.endpoint or '')
    operation = None if view is None else operation_of(view)
    return operation is None or not operation.no_store


def _shows_its_path(response: Response) -> bool:
    """Whether the body equals that of a GET of this path."""
    if response.status_code != HTTPStatus.OK or response.is_streamed:
        return False
    return request.method == 'PATCH' or _is_read() and not response.cache_control.no_store


def _validate(response: Response) -> None:
    content = response.get_data()
    modified = response.last_modified
    if modified is not None and datetime.now(UTC) - modified < _SETTLED:
        del response.headers['Last-Modified']
        modified = None
    if not _is_read():
        # `precondition` evaluated the conditions before the change.
        response.set_etag(response.get_etag()[0] or tag_of(content))
        return
    coding = coding_of(response, len(content))
    tag = tag_when_coded(response.get_etag()[0] or tag_of(content), coding)
    response.set_etag(tag)
    verdict = evaluate([tag], modified, method=request.method, headers=request.headers)
    if verdict is HTTPStatus.PRECONDITION_FAILED:
        _replace_with_412(response)
        return
    is_cached = is_cacheable(request) and _is_for_all(response)
    if coding is not None and (verdict is None or is_cached):
        compress(response, coding)
    if is_cached:
        store(request, response)
    if verdict is HTTPStatus.NOT_MODIFIED:
        response.status_code = verdict
        response.set_data(b'')


def _is_for_all(response: Response) -> bool:
    return response.headers['Cache-Control'] == _PUBLIC and 'Set-Cookie' not in response.headers and \
        set(response.vary.as_set(True)) <= set(_VARY)


def _replace_with_412(response: Response) -> None:
    error = problem_response(problem_of(PreconditionFailed()))
    response.status_code = error.status_code
    response.set_data(error.get_data())
    response.headers['Content-Type'] = error.headers['Content-Type']
    response.vary.add('Accept')
    response.headers['Cache-Control'] = 'no-store'
    for name in ('ETag', 'Last-Modified', 'Link'):
        response.headers.pop(name, None)
