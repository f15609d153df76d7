"""What can be wrong with a body or a query, before any use case sees it."""
from collections.abc import Sequence
from typing import Self

from pydantic import ValidationError

from talelio_backend.shared.business.errors import Fault, Invalid


class MissingBody(Invalid):

    def __init__(self) -> None:
        super().__init__('Missing request body')


class MalformedBody(Invalid):
    """No JSON object at all; the message says where it stops being one."""


class InvalidBody(Invalid):
    """A JSON object of which parts are missing, of the wrong type or against a rule."""

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = faults


class MissingKey(InvalidBody):
    """At least one required key is absent."""


class InvalidQuery(Invalid):
    """Parameters of the path's query that are unknown or against a rule."""

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
        # Fields are checked in the order in which the schema names them, which is the contract's.
        if fault['type'] == 'missing':
            return MissingKey(f"Expected '{fault['loc'][-1]}' key", faults)
    return InvalidBody(f"'{_dotted(faults[0])}' {faults[0].reason}", faults)


def _dotted(fault: Fault) -> str:
    return '.'.join(str(part) for part in fault.path)


def reason_of(fault: dict[str, object]) -> str:
    """Put one of Pydantic's faults into words that can follow a name."""
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
