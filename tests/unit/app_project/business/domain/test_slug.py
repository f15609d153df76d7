from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talelio_backend.app_project.business.domain.slug import (
    SLUG_LENGTH,
    candidates,
    check_slug,
    is_well_formed_slug,
    slugify,
)


@pytest.mark.parametrize(
    ('title', 'slug'),
    [
        ('A chair', 'a-chair'),
        ('  A -- chair!  ', 'a-chair'),
        ('Über Größe, à la carte', 'uber-grosse-a-la-carte'),
        ('U\u0308ber', 'uber'),
        ('snake_case & C++', 'snake-case-c'),
        ('node.js 18.2', 'node-js-18-2'),
        ('日本語 の 椅子', '日本語-の-椅子'),
        ('Новый стул', 'новый-стул'),
        ('ﬁne ①', 'fine-1'),
        ('हिन्दी', 'हिन्दी'),
        ('U\u1dce\u0300 ', 'u'),
        ('\u0301 a', 'a'),
        ('𝕬 𝔟', 'a-b'),
        ('🎉', 'project'),
        ('', 'project'),
        ('a' * 100, 'a' * 80),
        ('word ' * 30, '-'.join(['word'] * 16)),
        (f'{"a" * 80} b', 'a' * 80),
        (f'{"a" * 79} b', 'a' * 79),
        ("The Pilot's seat", 'the-pilots-seat'),
        ('The Pilot’s seat', 'the-pilots-seat'),
        ("Rock 'n' roll", 'rock-n-roll'),
        ('我用 Python ' + '写' * 100, '我用-python-' + '写' * 70),
        ('क्ष' * 40, 'क्ष' * 26),
    ],
)  # yapf: disable
def test_slugify(title: str, slug: str) -> None:
    assert slugify(title) == slug


LETTERS = st.characters() | st.sampled_from('aÙ\u0300\u0345\u1dceक\u093f\ufe0f-_ß')


@settings(max_examples=500)
@given(st.text(LETTERS, max_size=200))
def test_slugify_makes_valid_slugs_from_any_title(title: str) -> None:
    for slug in islice(candidates(title), 60):
        assert is_well_formed_slug(slug)
        assert len(slug) <= SLUG_LENGTH
        check_slug(slug)


def test_candidates_are_unique_and_end_with_random_suffixes() -> None:
    found, others = ([*islice(candidates('A'), 60)] for _ in range(2))

    assert len(set(found)) == 60
    assert found[:3] == ['a', 'a-2', 'a-3']
    assert found[:50] == others[:50] and found[50:] != others[50:]


@pytest.mark.parametrize('text', ['', 'A', 'a b', 'a--b', '-a', 'a_b', 'a/b', 'ü', 'a' * 81, '\0', '\ud800'])
def test_malformed_slugs_are_recognised(text: str) -> None:
    assert not is_well_formed_slug(text)
