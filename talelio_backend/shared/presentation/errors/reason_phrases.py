from http import HTTPStatus

# Python 3.13 renamed these as RFC 9110 has. The contract's names are those of before, and should not hang on
# which Python serves.
_NAMES = {
    413: 'Request Entity Too Large',
    414: 'Request-URI Too Long',
    416: 'Requested Range Not Satisfiable',
    422: 'Unprocessable Entity',
}


def reason_phrase(status: HTTPStatus) -> str:
    """The same on every Python."""
    return _NAMES.get(status.value, status.phrase)
