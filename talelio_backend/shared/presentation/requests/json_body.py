"""Parses and validates JSON bodies."""
import json
from codecs import BOM_UTF8
from collections import Counter
from typing import Any, NoReturn, TypeVar

from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from talelio_backend.shared.presentation.operation import require_described
from talelio_backend.shared.presentation.requests.unknown_fields import quoted_name, unknown_fields
from talelio_backend.shared.presentation.requests.validation_errors import (
    MalformedBody,
    MissingBody,
    body_error,
)
from talelio_backend.shared.presentation.schemas import Body, ContentBody

BodyT = TypeVar('BodyT', bound=Body)

_BROKEN_OFF = 'The request body is malformed or was cut short'


def read_body(schema: type[BodyT]) -> BodyT:
    """Raises Invalid or an HTTPException."""
    require_described('body', schema)
    content = _read_to_end()
    if not content.strip():
        raise MissingBody()
    return _validate(schema, content)


def read_body_if_any(schema: type[BodyT]) -> BodyT:
    """Treat an absent body, of any media type, as an empty object. Raises Invalid or an HTTPException."""
    require_described('body', schema)
    content = _read_to_end()
    return _validate(schema, content) if content.strip() else schema()


def _validate(schema: type[BodyT], content: bytes) -> BodyT:
    _check_type()
    document = _parse(content)
    unknown = unknown_fields(schema, document) if issubclass(schema, ContentBody) else None
    try:
        body = schema.model_validate(document)
    except ValidationError as error:
        raise body_error(error, () if unknown is None else unknown.faults) from None
    if unknown is not None:
        raise unknown
    return body


def _check_type() -> None:
    # A missing type counts as JSON (RFC 9110, section 8.3, permits an assumption).
    if request.mimetype not in ('', 'application/json') and not request.is_json:
        raise UnsupportedMediaType(f"Expected 'application/json', not '{request.mimetype}'")


def _read_to_end() -> bytes:
    try:
        content = request.get_data(cache=False)
        # Werkzeug truncates a body without Content-Length at the limit.
        whole = request.content_length is not None or not _more_follows()
    except RequestEntityTooLarge:
        raise
    except Exception as error:
        # A malformed or truncated chunk, for which each WSGI server has its own exceptions.
        raise BadRequest(_BROKEN_OFF) from error
    if not whole:
        raise RequestEntityTooLarge()
    if len(content) < (request.content_length or 0):
        raise BadRequest(_BROKEN_OFF)
    return content


def _more_follows() -> bool:
    # Only then does the stream end with the body.
    terminated = request.environ.get('wsgi.input_terminated', False)
    return bool(terminated and request.environ['wsgi.input'].read(1))


def _parse(content: bytes) -> dict[str, Any]:
    if content.startswith(BOM_UTF8):
        raise MalformedBody('The request body must not begin with a byte order mark')
    try:
        document = json.loads(
            content.decode('utf-8'), parse_constant=_refuse_constant, object_pairs_hook=_object
        )
    except UnicodeDecodeError as error:
        raise MalformedBody(f'The request body is not UTF-8 at byte {error.start}') from None
    except json.JSONDecodeError as error:
        raise MalformedBody(
            f'Malformed JSON in the request body: {error.msg} (line {error.lineno}, '
            f'column {error.colno})'
        ) from None
    except RecursionError:
        raise MalformedBody('The JSON in the request body is nested too deeply') from None
    except ValueError:
        # An integer with too many digits (sys.set_int_max_str_digits).
        raise MalformedBody('The JSON in the request body holds a number that is too long') from None
    if not isinstance(document, dict):
        raise MalformedBody('The request body must be a JSON object')
    return document


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that occurs twice: parsers take the first or the last value (RFC 8259, section 4)."""
    content = dict(members)
    if len(content) < len(members):
        [(name, _)] = Counter(name for name, _ in members).most_common(1)
        raise MalformedBody(f'The JSON in the request body has {quoted_name(name)} more than once')
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f'Malformed JSON in the request body: {name} is not a JSON value')
