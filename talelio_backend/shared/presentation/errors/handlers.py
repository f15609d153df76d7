"""Maps errors to HTTP responses."""
import logging
import re
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, InternalServerError

from talelio_backend.shared.business.errors import (
    BusinessError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from talelio_backend.shared.business.identity import AccessTokenRefused, MissingAccessToken
from talelio_backend.shared.presentation.errors.problem_details import (
    Problem,
    code_of_status,
    details_of,
    problem_response,
)

STATUS_OF_KIND: dict[type[BusinessError], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Gone: HTTPStatus.GONE,
    Conflict: HTTPStatus.CONFLICT,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# Headers of Werkzeug's responses that ours replace; others, such as `Allow`, are kept.
_OWN_HEADERS = ('content-type', 'content-length')

# Replaces Werkzeug's messages, which address users of a browser.
_PLAIN_WORDS = {
    HTTPStatus.BAD_REQUEST: 'The request is malformed',
    HTTPStatus.NOT_FOUND: 'There is nothing at this path',
    HTTPStatus.METHOD_NOT_ALLOWED: 'This path does not take this method',
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 'The request body is too large',
    HTTPStatus.INTERNAL_SERVER_ERROR: 'Something went wrong on our side',
}

_REALM = 'Bearer realm="talelio_backend"'
# Characters that an error_description must not contain (RFC 6750, section 3).
_UNQUOTABLE = re.compile(r'[^\x20\x21\x23-\x5b\x5d-\x7e]')

_logger = logging.getLogger(__name__)


def problem_of(error: BusinessError | HTTPException) -> Problem:
    if isinstance(error, BusinessError):
        status = next(status for kind, status in STATUS_OF_KIND.items() if isinstance(error, kind))
        return Problem(status=status, message=error.message, code=error.code, details=details_of(error))
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return Problem(status=status, message=_message(error, status), code=code_of_status(status))


def add_error_handlers(app: Flask) -> None:
    app.register_error_handler(BusinessError, _business_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)


def _business_error(error: BusinessError) -> Response:
    response = problem_response(problem_of(error))
    if isinstance(error, Unavailable):
        _logger.warning('unavailable: %s', error.__cause__ or error.message)
    if error.retry_after is not None:
        response.headers['Retry-After'] = str(error.retry_after)
    challenge = www_authenticate(error)
    if challenge is not None:
        response.headers['WWW-Authenticate'] = challenge
    return response


def www_authenticate(error: BusinessError) -> str | None:
    """Return a Bearer challenge, for which browsers open no login dialog."""
    if isinstance(error, AccessTokenRefused):
        description = _UNQUOTABLE.sub('?', error.message)
        return f'{_REALM}, error="invalid_token", error_description="{description}"'
    # RFC 6750 forbids an error code if the request had no credentials.
    return _REALM if isinstance(error, MissingAccessToken | Unauthenticated) else None


def _http_error(error: HTTPException) -> Response:
    response = problem_response(problem_of(error))
    for name, value in error.get_headers():
        if name.lower() not in _OWN_HEADERS:
            response.headers[name] = value
    return response


def _message(error: HTTPException, status: HTTPStatus) -> str:
    given = error.description
    if given is None or given == type(error).description:
        return _PLAIN_WORDS.get(status, given or status.description)
    return given


def _unexpected_error(_error: Exception) -> Response:
    _logger.exception('unexpected error')
    return problem_response(problem_of(InternalServerError()))
