"""Names of HTTP statuses. Gunicorn's master imports this module, so it must not import Flask."""
from http import HTTPStatus

# Python 3.13 renamed these. The contract has the older phrases.
_PHRASES = {
    413: 'Request Entity Too Large',
    414: 'Request-URI Too Long',
    416: 'Requested Range Not Satisfiable',
    422: 'Unprocessable Entity',
}
# By number, since Python 3.13 also renamed the members.
_CODES = {
    413: 'payload_too_large',
    414: 'uri_too_long',
    416: 'range_not_satisfiable',
    422: 'unprocessable_entity',
}


def reason_phrase(status: HTTPStatus) -> str:
    return _PHRASES.get(status.value, status.phrase)


def code_of_status(status: HTTPStatus) -> str:
    """Return the `code` of a plain HTTP error."""
    return _CODES.get(status.value) or status.name.lower()
