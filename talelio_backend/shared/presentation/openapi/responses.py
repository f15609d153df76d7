"""The responses of an operation in the OpenAPI document, including errors."""
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    RequestURITooLarge,
    UnsupportedMediaType,
)

from talelio_backend.shared.business.errors import BusinessError, Fault, Unavailable
from talelio_backend.shared.business.identity import InvalidAccessToken, MissingAccessToken
from talelio_backend.shared.presentation.errors.handlers import problem_of
from talelio_backend.shared.presentation.errors.problem_details import ENVELOPE_TYPE, PROBLEM_TYPE, Problem
from talelio_backend.shared.presentation.openapi.examples import example_of
from talelio_backend.shared.presentation.openapi.headers import RESPONSE_HEADERS
from talelio_backend.shared.presentation.operation import Files, Media, Operation
from talelio_backend.shared.presentation.requests.validation_errors import MissingBody, MissingKey

_JSON = 'application/json'
_VALIDATORS = ('Cache-Control', 'ETag', 'Last-Modified')
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: ('WWW-Authenticate', ),
    HTTPStatus.FORBIDDEN: ('WWW-Authenticate', ),
    HTTPStatus.CONFLICT: ('Retry-After', ),
    HTTPStatus.TOO_MANY_REQUESTS: ('Retry-After', ),
    HTTPStatus.SERVICE_UNAVAILABLE: ('Retry-After', ),
}
_WITHOUT_TOKEN = (
    MissingAccessToken('No authorization header provided'),
    MissingAccessToken('No authorization token provided'),
    InvalidAccessToken('Signature has expired'),
)


def describe_responses(
    operation: Operation, schemas: Mapping[int, dict[str, Any]], error_schemas: Mapping[str, dict[str, Any]],
    components: dict[str, Any], *, validators: bool
) -> dict[str, Any]:
    """`schemas` are those of the responses, by status. Raises NoExample."""
    names = (*operation.response_headers, *(_VALIDATORS if validators else ()))
    responses = {
        str(int(status)): _success(operation, HTTPStatus(status), schemas.get(status), components, names)
        for status in operation.responses
    }
    if validators:
        not_modified = HTTPStatus.NOT_MODIFIED
        responses[str(not_modified.value)] = _success(operation, not_modified, None, components, names)
    errors: dict[HTTPStatus, list[Problem]] = {}
    for error in _errors_of(operation):
        refused = problem_of(error)
        errors.setdefault(refused.status, []).append(refused)
    for status in sorted(errors):
        responses[str(status.value)] = _error(status, errors[status], error_schemas)
    return responses


def _success(
    operation: Operation, status: HTTPStatus, schema: dict[str, Any] | None, components: dict[str, Any],
    headers: Sequence[str]
) -> dict[str, Any]:
    described: dict[str, Any] = {
        'description': status.phrase,
        'headers': _headers('X-Request-ID', *headers),
    }
    kind = operation.responses.get(status)
    if isinstance(kind, Media):
        type_ = 'string' if isinstance(kind.example, str) else 'object'
        text = {} if kind.example is None else {'schema': {'type': type_}, 'example': kind.example}
        described['content'] = {media_type: text for media_type in kind.types}
    elif schema is not None:
        described['content'] = {_JSON: {'schema': schema, 'example': example_of(schema, components)}}
    return described


def _error(status: HTTPStatus, refusals: list[Problem], schemas: Mapping[str, dict[str,
                                                                                   Any]]) -> dict[str, Any]:
    examples = {
        str(number): {
            'summary': refused.message,
            'value': refused.envelope
        }
        for number, refused in enumerate({refused.message: refused
                                          for refused in refusals}.values(), 1)
    }
    return {
        'description': status.phrase,
        'headers': _headers('X-Request-ID', *_HEADERS.get(status, ())),
        'content': {
            ENVELOPE_TYPE: {
                'schema': schemas['error'],
                'examples': examples
            },
            # On request.
            PROBLEM_TYPE: {
                'schema': schemas['problem'],
                'example': refusals[0].problem | {
                    'instance': RESPONSE_HEADERS['X-Request-ID']['example']
                },
            },
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {'$ref': f'#/components/headers/{name}'} for name in names}


def _errors_of(operation: Operation) -> Iterator[BusinessError | HTTPException]:
    # An unknown host.
    yield BadRequest()
    # A request line that is too long.
    yield RequestURITooLarge()
    if operation.bearer:
        yield from _WITHOUT_TOKEN if operation.bearer == 'required' else _WITHOUT_TOKEN[1:]
    if isinstance(operation.body, Files):
        yield BadRequest('The multipart body is malformed or was cut short')
        yield RequestEntityTooLarge()
    elif operation.body is not None:
        if operation.body_required:
            yield MissingBody()
        for name, field in operation.body.model_fields.items():
            if field.is_required():
                yield MissingKey(f"Expected '{name}' key", [Fault((name, ), 'is missing')])
        yield RequestEntityTooLarge()
        yield UnsupportedMediaType(f"Expected '{_JSON}', not 'text/plain'")
    yield from operation.errors
    yield InternalServerError()
    yield Unavailable('The database is not available, please try again')
