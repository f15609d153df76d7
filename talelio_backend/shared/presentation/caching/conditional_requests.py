"""Entity tags and conditional requests (RFC 9110, sections 8.8 and 13)."""
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Literal, Self, TypeVar

from flask import request
from pydantic import BaseModel
from werkzeug.datastructures import Headers
from werkzeug.http import parse_date, parse_etags

from talelio_backend.shared.business.errors import PreconditionFailed

EntityT = TypeVar('EntityT')

# Each content coding is a representation of its own, with its own tag.
Coding = Literal['gzip']
_CODINGS: tuple[Coding | None, ...] = (None, 'gzip')

_SAFE = ('GET', 'HEAD')


def tag_of(content: bytes) -> str:
    """Return a strong tag, without quotes."""
    return sha256(content).hexdigest()[:32]


def tag_when_coded(tag: str, coding: Coding | None) -> str:
    return tag if coding is None else f'{tag}-{coding}'


def evaluate(
    tags: Collection[str], modified: datetime | None, *, method: str, headers: Headers
) -> HTTPStatus | None:
    """Return 304 or 412 if a condition of the request demands it, otherwise None.

    `tags` are those of the current representation in all codings. Conditions on time are ignored if there is
    one on tags (section 13.2.2).
    """
    is_safe = method in _SAFE
    if 'If-Match' in headers:
        wanted = parse_etags(headers['If-Match'])
        if not any(wanted.contains(tag) for tag in tags):
            return HTTPStatus.PRECONDITION_FAILED
    elif _is_later(modified, parse_date(headers.get('If-Unmodified-Since'))):
        return HTTPStatus.PRECONDITION_FAILED
    if 'If-None-Match' in headers:
        known = parse_etags(headers['If-None-Match'])
        if any(known.contains_weak(tag) for tag in tags):
            return HTTPStatus.NOT_MODIFIED if is_safe else HTTPStatus.PRECONDITION_FAILED
    elif is_safe and modified is not None:
        time = parse_date(headers.get('If-Modified-Since'))
        if time is not None and not _is_later(modified, time):
            return HTTPStatus.NOT_MODIFIED
    return None


def _is_later(modified: datetime | None, time: datetime | None) -> bool:
    if modified is None or time is None:
        return False
    # HTTP dates have no fractions of a second.
    return modified.replace(microsecond=0) > time


@dataclass(frozen=True)
class Representation:
    """The content that a GET of a path returns."""

    content: bytes
    # None if unknown.
    modified_at: datetime | None

    @classmethod
    def of(cls, model: BaseModel) -> Self:
        modified = getattr(model, 'updated_at', None) or getattr(model, 'created_at', None)
        return cls(
            content=model.model_dump_json().encode(),
            modified_at=modified.astimezone(UTC) if isinstance(modified, datetime) else None,
        )


def precondition(*represent: Callable[[EntityT], Representation]) -> Callable[[EntityT], None] | None:
    """Return a check of the request's conditions, or None if it has none.

    `represent` return what a GET of the same path does, with each of its queries. A service calls the check
    with the locked entity before changing it; the check raises PreconditionFailed.
    """
    if not any(name in request.headers for name in ('If-Match', 'If-None-Match', 'If-Unmodified-Since')):
        return None

    def check(entity: EntityT) -> None:
        current = [each(entity) for each in represent]
        tags = [tag_when_coded(tag_of(each.content), coding) for each in current for coding in _CODINGS]
        verdict = evaluate(tags, current[0].modified_at, method=request.method, headers=request.headers)
        if verdict is not None:
            raise PreconditionFailed()

    return check
