from base64 import urlsafe_b64encode
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talelio_backend.app_feed.business.errors import InvalidCursor
from talelio_backend.app_feed.business.following import CURSOR_LENGTH, Cursor

HISTORIES = st.text('0123456789abcdef', min_size=8, max_size=8)
CURSORS = st.builds(
    Cursor,
    history=HISTORIES,
    number=st.integers(0, 10**18 - 1),
    complete_on=st.dates(),
)


def word(plain: str) -> str:
    return urlsafe_b64encode(plain.encode()).decode().rstrip('=')


@given(CURSORS)
def test_a_cursor_survives_a_round_trip(cursor: Cursor) -> None:
    text = str(cursor)

    assert Cursor.parse(text) == cursor
    assert len(text) <= CURSOR_LENGTH and text.isascii()
    assert all(character.isalnum() or character in '-_' for character in text)


def test_the_text_of_a_cursor_is_stable() -> None:
    cursor = Cursor(history='0123abcd', number=42, complete_on=date(2026, 11, 24))

    assert str(cursor) == 'MS4wMTIzYWJjZC40Mi43Mzk5NDQ'


@given(st.text(max_size=80))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.parse(text)


@pytest.mark.parametrize('text', [
    '',
    '42',
    word('1.0123abcd.42'),
    word('2.0123abcd.42.739944'),
    word('1.0123ABCD.42.739944'),
    word('1.0123abcd.-1.739944'),
    word('1.0123abcd.042.739944'),
    word('1.0123abcd.42.9999999'),
    word('1.0123abcd.42.0'),
    word('1.0123abcd.9223372036854775808.739944'),
    word('1.0123abcd.٤٢.739944'),
    word('1.0123abcd.42.739944') + '=',
    word('1.0123abcd.42.739944') + '\n',
    word('1.0123abcd.42.739944')[:-1] + 'R',
    'MS4w' * 10_000,
])  # yapf: disable
def test_a_malformed_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor, match="'since' must be the 'next' of an answer before"):
        Cursor.parse(text)
