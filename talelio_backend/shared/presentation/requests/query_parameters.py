"""Parses and validates query parameters."""
from enum import Enum
from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from talelio_backend.shared.business.errors import Fault
from talelio_backend.shared.presentation.operation import require_described
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery, faults_of

# PostgreSQL's integer.
LARGEST_ID = 2**31 - 1


class Query(BaseModel):
    """Query parameters of a path. All are optional, and none may be repeated."""

    model_config = ConfigDict(extra='forbid', frozen=True)


QueryT = TypeVar('QueryT', bound=Query)


def read_query(schema: type[QueryT]) -> QueryT:
    """Raises InvalidQuery, which names unknown parameters."""
    require_described('query', None if schema is Query else schema)
    known = schema.model_fields
    if unknown := [name for name in request.args if name not in known]:
        message = f'Unknown parameter{"s" if len(unknown) > 1 else ""} {_listed(unknown)}'
        takes = f'this path takes {_listed(known) if known else "none"}'
        raise InvalidQuery(f'{message}; {takes}', [Fault((name, ), 'is unknown') for name in unknown])
    if repeated := [name for name, values in request.args.lists() if len(values) > 1]:
        raise InvalidQuery.about(repeated[0], 'must be given once')
    try:
        return schema.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise InvalidQuery.of(faults_of(error)) from None


def _listed(names: Any) -> str:
    return ', '.join(f"'{name}'" for name in names)


def whole_number(largest: int, description: str) -> Any:
    """Return the type of an integer parameter from 1 to `largest`."""

    def parse(text: object) -> object:
        if isinstance(text, str):
            # `int` also accepts '+1', ' 1', '1_0' and digits of other scripts.
            if text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= largest:
                return int(text)
            raise ValueError(f'must be a whole number from 1 to {largest}')
        return text

    schema = {
        'type': 'integer',
        'minimum': 1,
        'maximum': largest,
        'description': description,
        'examples': [20]
    }
    return Annotated[int, BeforeValidator(parse), WithJsonSchema(schema)]


def flag(description: str) -> Any:
    """Return the type of a parameter that is `true` or `false`."""

    def parse(text: object) -> object:
        if isinstance(text, str) and text not in ('true', 'false'):
            raise ValueError("must be 'true' or 'false'")
        return text

    schema = {'type': 'boolean', 'description': description}
    return Annotated[bool, BeforeValidator(parse), WithJsonSchema(schema)]


def one_of(kind: type[Enum], description: str) -> Any:
    """Return the type of an enumerated parameter."""
    schema = {'type': 'string', 'enum': [each.value for each in kind], 'description': description}
    return Annotated[kind, WithJsonSchema(schema)]
