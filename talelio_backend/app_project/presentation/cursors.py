"""Cursors as opaque words in a URL. They are not signed: a forged one only starts the page elsewhere."""
import base64
import json
from datetime import datetime
from math import isfinite
from typing import Any

from talelio_backend.app_project.business.domain.list_query import Cursor, Sort, SortValue
from talelio_backend.shared.presentation.requests.query_parameters import LARGEST_ID
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery

_TYPES: dict[Sort, type] = {
    Sort.NEWEST: int,
    Sort.OLDEST: int,
    Sort.TITLE: str,
    Sort.POSITION: int,
    Sort.PUBLISHED_AT: datetime,
    Sort.UPDATED_AT: datetime,
    Sort.RELEVANCE: float,
}


def write_cursor(sort: Sort, cursor: Cursor) -> str:
    value = cursor.value.isoformat() if isinstance(cursor.value, datetime) else cursor.value
    place = [sort.value, value, cursor.id, int(cursor.backwards)]
    return base64.urlsafe_b64encode(json.dumps(place, separators=(',', ':')).encode()).decode().rstrip('=')


def read_cursor(sort: Sort, word: str) -> Cursor:
    """Raises InvalidQuery."""
    try:
        content = base64.b64decode(word + '=' * (-len(word) % 4), altchars=b'-_', validate=True)
        order, value, id_, backwards = json.loads(content)
        if order == sort.value and _is_whole(id_) and backwards in (0, 1):
            return Cursor(value=_read_value(_TYPES[sort], value), id=id_, backwards=bool(backwards))
    except (ValueError, TypeError, RecursionError):
        pass
    raise InvalidQuery.about('cursor', 'must be one that this list has given, in the same order')


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_ID


def _read_value(kind: type, value: Any) -> SortValue:
    """Raises ValueError or TypeError."""
    if kind is datetime:
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            raise ValueError
        return time
    if kind is int and not _is_whole(value):
        raise ValueError
    if kind is float and not (isinstance(value, float) and isfinite(value)):
        raise ValueError
    if kind is str:
        # PostgreSQL's text cannot hold NUL or lone surrogates.
        if '\0' in value:
            raise ValueError
        value.encode()
    result: SortValue = value
    return result
