"""Adds the size and the variants of uploaded images to sanitized HTML.

`sanitize` escapes `<`, `>` and `"` within attribute values, so regular expressions can find the tags.
"""
import re
from collections.abc import Iterator, Mapping
from html import escape, unescape

from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.business.ports import FindImages, Image, MarkdownRenderer

# The assumed width of a column of text in CSS pixels. On a page with another width, a browser may fetch the
# next wider or narrower variant.
TEXT_WIDTH = 800

# A short text can contain the same image thousands of times.
MAX_IMAGES = 200

_IMAGE = re.compile(r'<img [^>]*>')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')


def image_urls(html: str) -> list[str]:
    """Return the distinct URLs of all images, in the order of the text."""
    found = (_attributes(tag[0]).get('src') for tag in _IMAGE.finditer(html))
    return list(dict.fromkeys(url for url in found if url))


def add_image_attributes(html: str, images: Mapping[str, Image]) -> str:
    """Add size and sources to the `images`, which are given by URL.

    A width or height from the author stays and determines the other one. The function is idempotent.
    """
    left = MAX_IMAGES

    def with_attributes(tag: re.Match[str]) -> str:
        nonlocal left
        given = _attributes(tag[0])
        image = images.get(given.get('src', ''))
        if image is None or not left:
            return tag[0]
        left -= 1
        added = [f' {name}="{escape(value)}"' for name, value in _known(image, given) if name not in given]
        return tag[0][:-1] + ''.join(added) + '>'

    return _IMAGE.sub(with_attributes, html)


class ImageAttributeRenderer:
    """Adds the attributes of the uploaded images to the renderer's HTML."""

    def __init__(self, renderer: MarkdownRenderer, find_images: FindImages) -> None:
        self._renderer = renderer
        self._find_images = find_images

    def render(self, markdown: str, account_id: int | None = None) -> Rendered:
        """See `app_project.business.ports.MarkdownRenderer`. Also raises the errors of `find_images`."""
        rendered = self._renderer.render(markdown, account_id)
        if urls := image_urls(rendered['html']):
            rendered['html'] = add_image_attributes(rendered['html'], self._find_images(urls))
        return rendered


def _attributes(tag: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(tag)}


def _known(image: Image, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    width, height = _size(image, given)
    yield 'width', str(width)
    yield 'height', str(height)
    if len(image.sources) > 1:
        yield 'srcset', ', '.join(f'{url} {wide}w' for url, wide in image.sources)
        displayed = min(width, TEXT_WIDTH)
        yield 'sizes', f'(min-width: {displayed}px) {displayed}px, 100vw'


def _size(image: Image, given: Mapping[str, str]) -> tuple[int, int]:
    width, height = given.get('width'), given.get('height')
    if width is not None:
        return int(width), round(int(width) * image.height / image.width)
    if height is not None:
        return round(int(height) * image.width / image.height), int(height)
    return image.width, image.height
