"""The `code` of plain HTTP errors. Gunicorn's master imports it, so it must not import Flask."""
from http import HTTPStatus

_CODES = {
    HTTPStatus.BAD_REQUEST: 'bad_request',
    HTTPStatus.NOT_FOUND: 'not_found',
    HTTPStatus.METHOD_NOT_ALLOWED: 'method_not_allowed',
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 'payload_too_large',
    HTTPStatus.REQUEST_URI_TOO_LONG: 'uri_too_long',
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 'unsupported_media_type',
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: 'range_not_satisfiable',
    HTTPStatus.EXPECTATION_FAILED: 'expectation_failed',
    HTTPStatus.TOO_MANY_REQUESTS: 'too_many_requests',
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: 'request_header_fields_too_large',
    HTTPStatus.INTERNAL_SERVER_ERROR: 'internal_server_error',
    HTTPStatus.NOT_IMPLEMENTED: 'not_implemented',
}


def code_of_status(status: HTTPStatus) -> str:
    # Not derived from the phrases, which differ between Python versions.
    return _CODES.get(status) or status.name.lower()
