"""The answers of an operation in the OpenAPI document, errors included."""
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from talelio_backend.shared.business.errors import BusinessError, Forbidden, Invalid, Unavailable
from talelio_backend.shared.presentation.errors import envelope, refusal
from talelio_backend.shared.presentation.openapi_examples import example_of
from talelio_backend.shared.presentation.openapi_operation import Files, Media, Operation

_JSON = 'application/json'
_WITH_RETRY_AFTER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_WITHOUT_TOKEN = (
    Forbidden('No authorization header provided'),
    Forbidden('No authorization token provided'),
    Forbidden('Signature has expired'),
)


def describe_answers(
    operation: Operation, schemas: Mapping[int, dict[str, Any]], error_schema: dict[str, Any],
    components: dict[str, Any]
) -> dict[str, Any]:
    """`schemas` are those of the answers, by status. Raises NoExample."""
    answers = {
        str(int(status)): _success(operation, HTTPStatus(status), schemas.get(status), components)
        for status in operation.answers
    }
    errors: dict[HTTPStatus, list[str]] = {}
    for error in _errors_of(operation):
        status, message = refusal(error)
        errors.setdefault(status, []).append(message)
    for status in sorted(errors):
        answers[str(status.value)] = _error(status, errors[status], error_schema)
    return answers


def _success(
    operation: Operation, status: HTTPStatus, schema: dict[str, Any] | None, components: dict[str, Any]
) -> dict[str, Any]:
    described: dict[str, Any] = {
        'description': status.phrase,
        'headers': _headers('X-Request-ID', *operation.answer_headers),
    }
    kind = operation.answers[status]
    if isinstance(kind, Media):
        text = {} if kind.example is None else {'schema': {'type': 'string'}, 'example': kind.example}
        described['content'] = {media_type: text for media_type in kind.types}
    elif schema is not None:
        described['content'] = {_JSON: {'schema': schema, 'example': example_of(schema, components)}}
    return described


def _error(status: HTTPStatus, messages: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    names = ['X-Request-ID', *(['Retry-After'] if status in _WITH_RETRY_AFTER else [])]
    examples = {
        str(number): {
            'summary': message,
            'value': envelope(status, message)
        }
        for number, message in enumerate(dict.fromkeys(messages), 1)
    }
    return {
        'description': status.phrase,
        'headers': _headers(*names),
        'content': {
            _JSON: {
                'schema': schema,
                'examples': examples
            }
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {'$ref': f'#/components/headers/{name}'} for name in names}


def _errors_of(operation: Operation) -> Iterator[BusinessError | HTTPException]:
    # A host that is not served.
    yield BadRequest()
    if operation.bearer:
        yield from _WITHOUT_TOKEN if operation.bearer == 'required' else _WITHOUT_TOKEN[1:]
    if isinstance(operation.body, Files):
        yield BadRequest('The multipart body is malformed or was cut short')
        yield RequestEntityTooLarge()
    elif operation.body is not None:
        yield Invalid('Missing request body')
        for name, field in operation.body.model_fields.items():
            if field.is_required():
                yield Invalid(f"Expected '{name}' key")
        yield RequestEntityTooLarge()
        yield UnsupportedMediaType(f"Expected '{_JSON}', not 'text/plain'")
    yield from operation.errors
    yield InternalServerError()
    yield Unavailable('The database is not available, please try again')
