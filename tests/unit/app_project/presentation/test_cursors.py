import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talelio_backend.app_project.business.domain.list_query import Cursor, Sort
from talelio_backend.app_project.presentation.cursors import read_cursor, write_cursor
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery


@pytest.mark.parametrize(('sort', 'value'), [(Sort.OLDEST, 7), (Sort.TITLE, 'ä "b"'), (Sort.POSITION, 0),
                                             (Sort.PUBLISHED_AT, datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
                                             (Sort.RELEVANCE, 0.1 + 0.2)])
@pytest.mark.parametrize('backwards', [False, True])
def test_cursor_round_trip(sort: Sort, value: int | str | float | datetime, backwards: bool) -> None:
    cursor = Cursor(value=value, id=7, backwards=backwards)

    assert read_cursor(sort, write_cursor(sort, cursor)) == cursor


def written(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


@pytest.mark.parametrize(
    'word', [
        '', 'x', '!', 'ü', '\0', '=' * 9,
        written(),
        written('title', 'a', 1),
        written('title', 1, 1, 0),
        written('title', 'a', '1', 0),
        written('title', 'a', 2**31, 0),
        written('title', 'a', -1, 0),
        written('title', 'a', True, 0),
        written('title', 'a', 1, 2),
        written('title', 'a\0', 1, 0),
        written('title', '\ud800', 1, 0),
        written('title', None, 1, 0),
        written('oldest', 1, 1, 0),
        base64.urlsafe_b64encode(b'[' * 5000).decode()
    ]
)
def test_invalid_cursors_are_refused(word: str) -> None:
    with pytest.raises(InvalidQuery, match="'cursor' must be one that this list has given"):
        read_cursor(Sort.TITLE, word)


@given(
    st.sampled_from(Sort),
    st.text() | st.binary().map(lambda content: base64.urlsafe_b64encode(content).decode())
)
def test_any_word_is_read_or_refused(sort: Sort, word: str) -> None:
    with pytest.raises(InvalidQuery):
        read_cursor(sort, word)
