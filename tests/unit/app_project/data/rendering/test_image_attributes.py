from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talelio_backend.app_project.data.rendering.image_attributes import (
    MAX_IMAGES,
    ImageAttributeRenderer,
    add_image_attributes,
    image_urls,
)
from talelio_backend.app_project.data.rendering.sanitizer import sanitize
from tests.fakes.ports import FakeRenderer

LAZY = 'loading="lazy" decoding="async"'


@dataclass(frozen=True)
class KnownPicture:
    width: int
    height: int
    sources: Sequence[tuple[str, int]]


LARGE = KnownPicture(1200, 900, [('https://i.test/l-320.webp', 320), ('https://i.test/l.jpg', 1200)])
SMALL = KnownPicture(300, 7, [('https://i.test/s.jpg', 300)])
PICTURES = {'https://i.test/l.jpg': LARGE, 'https://i.test/s.jpg': SMALL, 'https://i.test/q?a&b="': SMALL}
SOURCES = (
    'srcset="https://i.test/l-320.webp 320w, https://i.test/l.jpg 1200w" '
    'sizes="(min-width: 800px) 800px, 100vw"'
)


def test_a_known_picture_gets_its_size_and_sources() -> None:
    html = sanitize('<p><img src="https://i.test/l.jpg" alt="a"></p>')

    assert add_image_attributes(
        html, PICTURES
    ) == (f'<p><img src="https://i.test/l.jpg" alt="a" {LAZY} width="1200" height="900" {SOURCES}></p>')


def test_a_picture_without_variants_gets_no_sources() -> None:
    assert add_image_attributes('<img src="https://i.test/s.jpg">',
                                PICTURES) == ('<img src="https://i.test/s.jpg" width="300" height="7">')


@pytest.mark.parametrize(
    ('given_', 'added'),
    [
        ('width="400"', 'height="300"'),
        ('height="300"', 'width="400"'),
        ('width="400" height="1"', ''),
    ],
)
def test_what_the_author_says_of_the_size_stays(given_: str, added: str) -> None:
    dressed = add_image_attributes(f'<img src="https://i.test/l.jpg" {given_}>', PICTURES)

    assert dressed.startswith(f'<img src="https://i.test/l.jpg" {given_} {added}'.rstrip() + ' srcset="')
    assert dressed.endswith(' sizes="(min-width: 400px) 400px, 100vw">')


@pytest.mark.parametrize(
    'html',
    [
        '<img src="https://i.test/other.jpg">',
        '<img alt="https://i.test/l.jpg">',
        '<a href="https://i.test/l.jpg">&lt;img src="https://i.test/l.jpg"&gt;</a>',
        '<code>&lt;img src="https://i.test/l.jpg"&gt;</code>',
        '<img alt="a src=&quot;https://i.test/l.jpg&quot;" src="b">',
        '',
    ],
)
def test_everything_else_stays_as_it_is(html: str) -> None:
    assert add_image_attributes(html, PICTURES) == html


def test_an_address_is_read_as_a_browser_reads_it_and_written_so_that_it_stays_one_value() -> None:
    hostile = 'https://i.test/q?a&b="'
    picture = KnownPicture(900, 90, [('https://i.test/"><script>&', 320), (hostile, 900)])
    html = sanitize('<img src="https://i.test/q?a&amp;b=&quot;">')

    dressed = add_image_attributes(html, {hostile: picture})

    assert image_urls(html) == [hostile]
    assert (
        'srcset="https://i.test/&quot;&gt;&lt;script&gt;&amp; 320w, https://i.test/q?a&amp;b=&quot; 900w"'
    ) in dressed
    assert sanitize(dressed) == html.replace('>', ' width="900" height="90">')


def test_each_address_is_asked_for_once_in_the_order_of_the_text() -> None:
    assert image_urls('<img src="b"><img alt="c"><p><img src="a"></p><img src="b">') == ['b', 'a']


def test_a_short_text_does_not_become_a_very_long_one() -> None:
    html = '<img src="https://i.test/s.jpg">' * (MAX_IMAGES + 1)

    dressed = add_image_attributes(html, PICTURES)

    assert dressed.count(' width="300"') == MAX_IMAGES
    assert dressed.endswith('<img src="https://i.test/s.jpg">')
    assert add_image_attributes(dressed, PICTURES) == dressed


PIECES = st.sampled_from([
    *(f'<img {attributes}src="{address}">' for address in [*PICTURES, 'x']
      for attributes in ('', 'width=7 ', 'height=0 ', 'width=9999 height=1 ', 'height=9999 ', 'alt=\'">\' ')),
    "<img src='https://i.test/q?a&b=\"' sizes=1px srcset='x 2x'>", '<img', ' src="https://i.test/l.jpg"', '>',
    '<p>', '</p>', '"', "'", '<pre>', '</pre>', '<a href="', '<!--', '-->', '&quot;', '<svg>', '</svg>'
])  # yapf: disable


@settings(max_examples=400)
@given(st.lists(PIECES | st.text(max_size=4), max_size=20).map(''.join))
def test_dressing_is_settled_and_adds_attributes_to_pictures_only(text: str) -> None:
    html = sanitize(text)

    dressed = add_image_attributes(html, PICTURES)

    assert add_image_attributes(dressed, PICTURES) == dressed
    # A sanitizer finds nothing in it that it would take out but what only the service may write.
    assert add_image_attributes(sanitize(dressed), PICTURES) == dressed
    assert image_urls(dressed) == image_urls(html)


def test_pictures_are_asked_for_only_by_a_text_that_has_some() -> None:
    asked = []

    def find(addresses: object) -> dict[str, KnownPicture]:
        asked.append(addresses)
        return PICTURES

    renderer = ImageAttributeRenderer(FakeRenderer(), find)

    assert renderer.render('a')['html'] == '<p>a</p>'
    assert not asked
    assert renderer.render('<img src="https://i.test/s.jpg">') == {
        'html': '<p><img src="https://i.test/s.jpg" width="300" height="7"></p>',
        'excerpt': '<img src="https://i.test/s.jpg">',
        'toc': [],
        'words': 2,
        'warnings': [],
    }
    assert asked == [['https://i.test/s.jpg']]
