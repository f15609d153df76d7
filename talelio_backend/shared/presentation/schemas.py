"""What all request and answer schemas share."""
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer


def format_utc(time: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS.ffffff`, the contract's form, always with six digits after the point."""
    return time.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f')


UtcTime = Annotated[datetime, PlainSerializer(format_utc, return_type=str)]


def _storable(text: str) -> str:
    # JSON can spell both, PostgreSQL's text can hold neither.
    if '\0' in text:
        raise ValueError('must not contain a NUL character')
    if any('\ud800' <= character <= '\udfff' for character in text):
        raise ValueError('must not contain a lone surrogate')
    return text


STORABLE = AfterValidator(_storable)
Text = Annotated[str, STORABLE]


class Body(BaseModel):
    """A request's JSON object: no type is converted into another, members of no meaning are ignored."""

    model_config = ConfigDict(strict=True, extra='ignore', frozen=True)


class Answer(BaseModel):
    """A JSON answer, read from an entity's attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
