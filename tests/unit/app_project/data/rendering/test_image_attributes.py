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
class KnownImage:
    width: int
    height: int
    sources: Sequence[tuple[str, int]]


LARGE = KnownImage(1200, 900, [('https://i.test/l-320.webp', 320), ('https://i.test/l.jpg', 1200)])
SMALL = KnownImage(300, 7, [('https://i.test/s.jpg', 300)])
IMAGES = {'https://i.test/l.jpg': LARGE, 'https://i.test/s.jpg': SMALL, 'https://i.test/q?a&b="': SMALL}
SOURCES = (
    'srcset="https://i.test/l-320.webp 320w, https://i.test/l.jpg 1200w" '
    'sizes="(min-width: 800px) 800px, 100vw"'
)


def test_uploaded_image_gets_size_and_sources() -> None:
    html = sanitize('<p><img src="https://i.test/l.jpg" alt="a"></p>')

    assert add_image_attributes(
        html, IMAGES
    ) == (f'<p><img src="https://i.test/l.jpg" alt="a" {LAZY} width="1200" height="900" {SOURCES}></p>')


def test_image_without_variants_gets_no_sources() -> None:
    assert add_image_attributes('<img src="https://i.test/s.jpg">',
                                IMAGES) == ('<img src="https://i.test/s.jpg" width="300" height="7">')


@pytest.mark.parametrize(
    ('given_', 'added'),
    [
        ('width="400"', 'height="300"'),
        ('height="300"', 'width="400"'),
        ('width="400" height="1"', ''),
    ],
)
def test_size_set_by_the_author_stays(given_: str, added: str) -> None:
    result = add_image_attributes(f'<img src="https://i.test/l.jpg" {given_}>', IMAGES)

    assert result.startswith(f'<img src="https://i.test/l.jpg" {given_} {added}'.rstrip() + ' srcset="')
    assert result.endswith(' sizes="(min-width: 400px) 400px, 100vw">')


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
def test_other_html_stays_unchanged(html: str) -> None:
    assert add_image_attributes(html, IMAGES) == html


def test_urls_are_unescaped_and_escaped() -> None:
    hostile = 'https://i.test/q?a&b="'
    image = KnownImage(900, 90, [('https://i.test/"><script>&', 320), (hostile, 900)])
    html = sanitize('<img src="https://i.test/q?a&amp;b=&quot;">')

    result = add_image_attributes(html, {hostile: image})

    assert image_urls(html) == [hostile]
    assert (
        'srcset="https://i.test/&quot;&gt;&lt;script&gt;&amp; 320w, https://i.test/q?a&amp;b=&quot; 900w"'
    ) in result
    assert sanitize(result) == html.replace('>', ' width="900" height="90">')


def test_image_urls_are_distinct_and_in_order() -> None:
    assert image_urls('<img src="b"><img alt="c"><p><img src="a"></p><img src="b">') == ['b', 'a']


def test_number_of_images_with_attributes_is_limited() -> None:
    html = '<img src="https://i.test/s.jpg">' * (MAX_IMAGES + 1)

    result = add_image_attributes(html, IMAGES)

    assert result.count(' width="300"') == MAX_IMAGES
    assert result.endswith('<img src="https://i.test/s.jpg">')
    assert add_image_attributes(result, IMAGES) == result


PIECES = st.sampled_from([
    *(f'<img {attributes}src="{address}">' for address in [*IMAGES, 'x']
      for attributes in ('', 'width=7 ', 'height=0 ', 'width=9999 height=1 ', 'height=9999 ', 'alt=\'">\' ')),
    "<img src='https://i.test/q?a&b=\"' sizes=1px srcset='x 2x'>", '<img', ' src="https://i.test/l.jpg"', '>',
    '<p>', '</p>', '"', "'", '<pre>', '</pre>', '<a href="', '<!--', '-->', '&quot;', '<svg>', '</svg>'
])  # yapf: disable


@settings(max_examples=400)
@given(st.lists(PIECES | st.text(max_size=4), max_size=20).map(''.join))
def test_adding_attributes_is_idempotent_and_safe(text: str) -> None:
    html = sanitize(text)

    result = add_image_attributes(html, IMAGES)

    assert add_image_attributes(result, IMAGES) == result
    # A sanitizer removes only the attributes that were added.
    assert add_image_attributes(sanitize(result), IMAGES) == result
    assert image_urls(result) == image_urls(html)


def test_renderer_looks_up_only_the_images_of_a_text() -> None:
    asked = []

    def find(urls: object) -> dict[str, KnownImage]:
        asked.append(urls)
        return IMAGES

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
