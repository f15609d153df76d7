"""Values at their limits, and just beyond them."""
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from talelio_backend.app_project.business.domain.fields import (
    check_cover_image,
    check_position,
    check_published_at,
    check_summary,
    normalise_tags,
)
from talelio_backend.app_project.business.domain.search import parse_terms
from talelio_backend.app_project.business.domain.slug import (
    candidates,
    check_slug,
    is_well_formed_slug,
    slugify,
)
from talelio_backend.shared.business.errors import InvalidValue

HTTPS = 'https://a.test/'
END_OF_2999 = datetime(3000, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)


def foreign_cover(url: str) -> None:
    check_cover_image(url, lambda _url: False)


@pytest.mark.parametrize(('check', 'good', 'bad', 'message'), [
    (check_summary, 'x' * 500, 'x' * 501, "'summary' must have at most 500 characters"),
    (check_position, 1_000_000, 1_000_001, "'position' must be a whole number from 0 to 1000000"),
    (check_position, 0, -1, "'position' must be a whole number from 0 to 1000000"),
    (
        check_published_at, datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC),
        "'published_at' must lie in the years 1970 to 2999"
    ),
    (
        check_published_at, END_OF_2999, datetime(3000, 1, 1, tzinfo=UTC),
        "'published_at' must lie in the years 1970 to 2999"
    ),
    (
        foreign_cover, HTTPS + 'x' * (2048 - len(HTTPS)), HTTPS + 'x' * (2049 - len(HTTPS)),
        "'cover_image' must have at most 2048 characters"
    ),
    (
        foreign_cover, HTTPS, HTTPS + 'ü',
        "'cover_image' must be the URL of an uploaded image, or one that begins with 'https://'"
    ),
    (
        foreign_cover, HTTPS + 'X', HTTPS + '\x7f',
        "'cover_image' must be the URL of an uploaded image, or one that begins with 'https://'"
    ),
    (normalise_tags, ['x' * 40], ['x' * 41], "'tags' must have items of 1 to 40 characters"),
    (
        normalise_tags, [str(each) for each in range(20)], [str(each) for each in range(21)],
        "'tags' must have at most 20 items"
    ),
    (normalise_tags, ['a b'], ['a,b'], "'tags' must have items without control characters and commas"),
    (parse_terms, 'x' * 200, 'x' * 201, "'q' must have at most 200 characters"),
    (parse_terms, 'x ' * 16, 'x ' * 17, "'q' must have at most 16 words"),
    (check_slug, 'x' * 80, 'x' * 81, "'slug' must have 1 to 80 characters"),
    (
        check_slug, 'a-chair', 'A chair',
        "'slug' may hold lower-case letters without accents and digits, and single '-' between them, "
        "such as 'a-chair'"
    ),
], ids=lambda value: value if isinstance(value, str) and value.startswith("'") else '')  # yapf: disable
def test_values_at_the_limit_pass_and_beyond_it_fail(
    check: Callable[[Any], object], good: Any, bad: Any, message: str
) -> None:
    check(good)

    with pytest.raises(InvalidValue) as caught:
        check(bad)
    assert caught.value.message == message
    assert caught.value.faults[0].path == (message.split("'")[1], )


def test_tags_have_single_spaces() -> None:
    assert normalise_tags([' Wood \t work ']) == ['wood work']


def test_tags_of_a_capital_dotted_i_have_one_dot() -> None:
    assert normalise_tags(['İzmir', 'I\u0307ZMIR', 'izmir', 'Işık']) == ['izmir', 'işık']


def test_slugs_use_the_full_length() -> None:
    just_fits = f'{"a" * 54}-{"b" * 25}'

    assert slugify(just_fits) == just_fits and is_well_formed_slug(just_fits)
    # A word beyond the limit is dropped as a whole. Shorter slugs are not cut.
    assert slugify(f'{just_fits}c') == 'a' * 54
    assert slugify('xylophone box') == 'xylophone-box' and slugify('box x') == 'box-x'


@pytest.mark.parametrize(('title', 'second'), [
    ('a' * 80, f'{"a" * 78}-2'),
    # The cut leaves no second '-' before the number.
    (f'{"a" * 77} bb', f'{"a" * 77}-2'),
    ('-x-', 'x-2'),
])  # yapf: disable
def test_numbered_slugs_stay_within_the_length(title: str, second: str) -> None:
    found = list(islice(candidates(title), 51))

    assert found[1] == second
    assert found[49].endswith('-50')
    assert max(len(each) for each in found) <= 80


def test_prefixes_need_two_letters() -> None:
    assert parse_terms('ch').match('A chair')
    assert not parse_terms('c').match('A chair')
