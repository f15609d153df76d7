from http import HTTPStatus

# Python 3.13 renamed these. The contract has the older phrases.
_NAMES = {
    413: 'Request Entity Too Large',
    414: 'Request-URI Too Long',
    416: 'Requested Range Not Satisfiable',
    422: 'Unprocessable Entity',
}


def reason_phrase(status: HTTPStatus) -> str:
    """Return the phrase, independent of the Python version."""
    return _NAMES.get(status.value, status.phrase)
