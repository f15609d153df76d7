"""Base classes and types of the request and response schemas."""
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

_TIME = re.compile(
    r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?', re.ASCII | re.IGNORECASE
)


def format_utc(time: datetime) -> str:
    """Return `YYYY-MM-DD HH:MM:SS.ffffff`, as the contract requires."""
    # `strftime` takes four times as long.
    return time.astimezone(UTC).isoformat(' ', 'microseconds')[:26]


UtcTime = Annotated[
    datetime,
    PlainSerializer(format_utc, return_type=str),
    WithJsonSchema({
        'type': 'string',
        'description': 'UTC, with six digits after the point.',
        'pattern': r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$',
        'examples': ['2026-11-23 12:30:59.123456'],
    }, mode='serialization')
]  # yapf: disable
Id = Annotated[int, Field(examples=[7])]


def _parse_time(given: object) -> datetime:
    """Accept the format of responses or RFC 3339. The default time zone is UTC."""
    if isinstance(given, str) and _TIME.fullmatch(given):
        try:
            time = datetime.fromisoformat(given.upper())
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time such as '2026-01-31 12:00:00.000000' or '2026-01-31T13:00:00+01:00'")


TimeInput = Annotated[
    datetime,
    BeforeValidator(_parse_time),
    WithJsonSchema({
        'type': 'string',
        'description': 'As in responses, or RFC 3339. The default time zone is UTC.',
        'pattern': f'^{_TIME.pattern}$',
        'examples': ['2026-11-23 12:30:59.123456'],
    })
]  # yapf: disable


def _storable(text: str) -> str:
    # JSON allows both; PostgreSQL's text allows neither.
    if '\0' in text:
        raise ValueError('must not contain a NUL character')
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError('must not contain a lone surrogate') from None
    return text


STORABLE = AfterValidator(_storable)
# The part that a JSON Schema pattern can express.
WITHOUT_NUL = Field(json_schema_extra={'pattern': '^[^\\u0000]*$'})
Text = Annotated[str, STORABLE, WITHOUT_NUL]


class Body(BaseModel):
    """A request's JSON object. Types are not coerced; unknown members are ignored."""

    model_config = ConfigDict(strict=True, extra='ignore', frozen=True)

    def as_bytes(self) -> bytes:
        """Return the same bytes for equivalent bodies."""
        return self.model_dump_json().encode()


# Forms and scripts send an empty string for an empty field.
EMPTY_IS_NULL = BeforeValidator(lambda given: None if given == '' else given)


def _forbid_unknown(schema: dict[str, Any], model: Any) -> None:
    if model.unread:
        schema['propertyNames'] = {'enum': [*model.model_fields, *sorted(model.unread)]}
    else:
        schema['additionalProperties'] = False


class ContentBody(Body):
    """A body that changes what the site shows. Unknown members are refused, so that a typing error cannot
    publish a draft.
    """

    model_config = ConfigDict(json_schema_extra=_forbid_unknown)

    # Names that responses carry. Clients may send them back; they are ignored.
    unread: ClassVar[Collection[str]] = ()
    # What other systems call the fields.
    other_names: ClassVar[Mapping[str, str]] = {}


class Answer(BaseModel):
    """A JSON response, read from an entity's attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class FaultAnswer(Answer):
    # `pointer` is a JSON pointer (RFC 6901) into this part of the request.
    part: Annotated[Literal['body', 'query'], Field(alias='in')]
    pointer: str
    reason: str


class ErrorDetail(Answer):
    message: str
    # The HTTP status and its reason phrase.
    status: int
    type: str
    # Stable; clients may rely on it.
    code: str
    details: list[FaultAnswer] = []


class ErrorAnswer(Answer):
    error: ErrorDetail


class ProblemAnswer(Answer):
    """Problem Details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    # The request's id.
    instance: str
    code: str
    details: list[FaultAnswer] = []
