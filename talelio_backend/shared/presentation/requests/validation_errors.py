"""Errors in a body or query, found before any use case runs."""
from collections.abc import Sequence
from typing import Self

from pydantic import ValidationError

from talelio_backend.shared.business.errors import Fault, Invalid


class MissingBody(Invalid):

    def __init__(self) -> None:
        super().__init__('Missing request body')


class MalformedBody(Invalid):
    """Not a JSON object."""


class InvalidBody(Invalid):
    """A JSON object with members that are missing, of the wrong type or invalid."""

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = faults


class MissingKey(InvalidBody):
    pass


class InvalidQuery(Invalid):
    """Unknown or invalid query parameters."""

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = faults

    @classmethod
    def about(cls, name: str, reason: str) -> Self:
        return cls(f"'{name}' {reason}", [Fault((name, ), reason)])


def query_error(error: ValidationError) -> InvalidQuery:
    found = error.errors(include_url=False, include_input=False)
    faults = [Fault(fault['loc'], reason_of(dict(fault))) for fault in found]
    return InvalidQuery(f"'{_dotted(faults[0])}' {faults[0].reason}", faults)


def body_error(error: ValidationError) -> InvalidBody:
    found = error.errors(include_url=False, include_input=False)
    faults = [Fault(fault['loc'], reason_of(dict(fault))) for fault in found]
    for fault in found:
        # The order of the schema's fields is the contract's.
        if fault['type'] == 'missing':
            return MissingKey(f"Expected '{fault['loc'][-1]}' key", faults)
    return InvalidBody(f"'{_dotted(faults[0])}' {faults[0].reason}", faults)


def _dotted(fault: Fault) -> str:
    return '.'.join(str(part) for part in fault.path)


def reason_of(fault: dict[str, object]) -> str:
    """Translate a pydantic error into a phrase that follows a field's name."""
    context = fault.get('ctx')
    context = context if isinstance(context, dict) else {}
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
    return reasons.get(str(fault['type']), str(fault['msg']))
