"""The two formats of errors: the envelope, and Problem Details (RFC 9457) on request."""
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, json, request

from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.presentation.requests.access_log import request_id
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery

ENVELOPE_TYPE = 'application/json'
PROBLEM_TYPE = 'application/problem+json'

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

Details = Sequence[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Problem:
    status: HTTPStatus
    message: str
    code: str
    details: Details = ()

    @property
    def envelope(self) -> dict[str, object]:
        return {
            'error': {
                'message': self.message,
                'status': self.status.value,
                'type': reason_phrase(self.status),
                **self._extra_members
            }
        }

    @property
    def problem(self) -> dict[str, object]:
        # about:blank means that the title is the status phrase (section 4.2.1); `code` is more specific.
        return {
            'type': 'about:blank',
            'title': reason_phrase(self.status),
            'status': self.status.value,
            'detail': self.message,
            'instance': request_id.get() or '',
            **self._extra_members
        }

    @property
    def _extra_members(self) -> dict[str, object]:
        return {'code': self.code, **({'details': self.details} if self.details else {})}


def reason_phrase(status: HTTPStatus) -> str:
    return _PHRASES.get(status.value, status.phrase)


def code_of_status(status: HTTPStatus) -> str:
    """Return the `code` of a plain HTTP error."""
    return _CODES.get(status.value) or status.name.lower()


def details_of(error: BusinessError) -> Details:
    part = 'query' if isinstance(error, InvalidQuery) else 'body'
    return [{'in': part, 'pointer': _pointer(fault.path), 'reason': fault.reason} for fault in error.faults]


def _pointer(path: Sequence[str | int]) -> str:
    """RFC 6901."""
    return ''.join('/' + str(part).replace('~', '~0').replace('/', '~1') for part in path)


def problem_response(refusal: Problem) -> Response:
    media_type = _media_type()
    document = refusal.problem if media_type == PROBLEM_TYPE else refusal.envelope
    response = Response(json.dumps(document), refusal.status, mimetype=media_type)
    response.vary.add('Accept')
    return response


def _media_type() -> str:
    """Fall back to the envelope if the client accepts neither."""
    return request.accept_mimetypes.best_match([ENVELOPE_TYPE, PROBLEM_TYPE], ENVELOPE_TYPE)
