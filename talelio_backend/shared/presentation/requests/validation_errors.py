"""Errors in a body or query, found before any use case runs."""
from collections.abc import Sequence
from typing import Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from talelio_backend.shared.business.errors import Fault, Invalid


class MissingBody(Invalid):
    message = 'Missing request body'


class MalformedBody(Invalid):
    """Not a JSON object."""


class InvalidParts(Invalid):

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = faults

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> Self:
        """The message names the first fault."""
        name = '.'.join(str(part) for part in faults[0].path)
        return cls(f"'{name}' {faults[0].reason}", faults)


class InvalidBody(InvalidParts):
    """A JSON object with members that are missing, of the wrong type or invalid."""


class MissingKey(InvalidBody):
    pass


class InvalidQuery(InvalidParts):
    """Unknown or invalid query parameters."""

    @classmethod
    def about(cls, name: str, reason: str) -> Self:
        return cls.of([Fault((name, ), reason)])


def body_error(error: ValidationError, unknown: Sequence[Fault] = ()) -> InvalidBody:
    """`unknown` are the faults of members that the schema does not know."""
    faults = [*faults_of(error), *unknown]
    # The order of the schema's fields is the contract's.
    missing = next((each['loc'][-1] for each in error.errors() if each['type'] == 'missing'), None)
    return InvalidBody.of(faults) if missing is None else MissingKey(f"Expected '{missing}' key", faults)


def faults_of(error: ValidationError) -> list[Fault]:
    return [Fault(each['loc'], _reason(each)) for each in error.errors(include_url=False)]


def _reason(fault: ErrorDetails) -> str:
    """Translate a pydantic error into a phrase that follows a field's name."""
    context = fault.get('ctx', {})
    reasons = {
        'missing': 'is missing',
        'string_type': 'must be a string',
        'string_unicode': 'must not contain a lone surrogate',
        'string_too_long': f'must have at most {context.get("max_length")} characters',
        'literal_error': f'must be {context.get("expected")}',
        'int_type': 'must be a whole number',
        'list_type': 'must be an array',
        'enum': f'must be {context.get("expected")}',
        'value_error': str(context.get('error')),
    }
    return reasons.get(fault['type'], fault['msg'])
