import pytest

from talelio_backend.app_project.business.domain.truncation import end_of_letter, truncate


@pytest.mark.parametrize(
    'letter',
    [
        'e\u0301', '👍🏽', '❤️', '1️⃣', '👨‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪', '🏴\U000e0067\U000e0062\U000e007f',
        '\u1112\u1161\u11ab', 'ｶﾞ', 'か\u3099', 'น้ำ', 'क्षि', 'ខ្ញុំ', 'שׁ\u05b8'
    ]
)  # yapf: disable
def test_a_letter_stays_whole(letter: str) -> None:
    text = letter * 9

    for length in range(1, len(text)):
        whole = max(length // len(letter), 1) * len(letter)
        assert truncate(text, length) == text[:whole if length >= len(letter) else length]


@pytest.mark.parametrize(
    ('text', 'length', 'beginning'),
    [
        ('one two', 7, 'one two'),
        ('one two', 6, 'one tw'),
        ('four two', 6, 'four'),
        ('four two', 4, 'four'),
        ('three', 3, 'thr'),
        ('', 3, ''),
        ('\u0301' * 9, 3, '\u0301' * 3),
    ],
)
def test_whole_words_stay_if_they_are_most_of_it(text: str, length: int, beginning: str) -> None:
    assert truncate(text, length) == beginning


@pytest.mark.parametrize(('place', 'end'), [(0, 0), (1, 1), (2, 1), (3, 3), (4, 4), (5, 4)])
def test_the_last_end_of_a_letter_is_found(place: int, end: int) -> None:
    assert end_of_letter('a🇩🇪bé\u0301', place) == end
