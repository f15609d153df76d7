"""What a browser must know of a picture before it is there: its size, and which others would do instead.

All of it works on HTML as `safe_html.sanitize` writes it: `<`, `>` and `"` are escaped within values, so
that what looks like a picture is one, and its attributes end where they seem to.
"""
import re
from collections.abc import Iterator, Mapping
from html import escape, unescape

from talelio_backend.app_project.business.ports import Picture

# In CSS pixels: how wide a column of text is taken to be. A page's style sheet may say otherwise; then
# at worst a picture is fetched that is one step wider or narrower than needed.
TEXT_WIDTH = 800

# Further ones stay as they are: a short text can show one picture thousands of times.
MOST_DRESSED = 200

_IMAGE = re.compile(r'<img [^>]*>')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')


def image_urls(html: str) -> list[str]:
    """Return each once, in the order of the text."""
    found = (_attributes(tag[0]).get('src') for tag in _IMAGE.finditer(html))
    return list(dict.fromkeys(address for address in found if address))


def add_image_attributes(html: str, pictures: Mapping[str, Picture]) -> str:
    """Give size and sources to those pictures that are known, by address.

    What an author says of the size stays, and the other side is made to fit. Dressing the result again
    does not change it.
    """
    left = MOST_DRESSED

    def dressed(tag: re.Match[str]) -> str:
        nonlocal left
        given = _attributes(tag[0])
        picture = pictures.get(given.get('src', ''))
        if picture is None or not left:
            return tag[0]
        left -= 1
        added = [f' {name}="{escape(value)}"' for name, value in _known(picture, given) if name not in given]
        return tag[0][:-1] + ''.join(added) + '>'

    return _IMAGE.sub(dressed, html)


def _attributes(tag: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(tag)}


def _known(picture: Picture, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    width, height = _size(picture, given)
    yield 'width', str(width)
    yield 'height', str(height)
    if len(picture.sources) > 1:
        yield 'srcset', ', '.join(f'{address} {wide}w' for address, wide in picture.sources)
        shown = min(width, TEXT_WIDTH)
        yield 'sizes', f'(min-width: {shown}px) {shown}px, 100vw'


def _size(picture: Picture, given: Mapping[str, str]) -> tuple[int, int]:
    width, height = given.get('width'), given.get('height')
    if width is not None:
        return int(width), round(int(width) * picture.height / picture.width)
    if height is not None:
        return round(int(height) * picture.width / picture.height), int(height)
    return picture.width, picture.height
