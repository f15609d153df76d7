"""The rules for a project's fields. Every function that checks a value raises InvalidValue."""
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from talelio_backend.shared.business.errors import InvalidValue

TITLE_LENGTH = 300
# In bytes of UTF-8, about forty thousand words.
BODY_SIZE = 256 * 1024
SUMMARY_LENGTH = 500
TAGS = 20
TAG_LENGTH = 40
URL_LENGTH = 2048
LARGEST_POSITION = 1_000_000
# Categories of Unicode: control characters, separators of lines and paragraphs; besides, formats and spaces.
_CONTROLS = ('Cc', 'Zl', 'Zp')
_INVISIBLE = (*_CONTROLS, 'Cf', 'Zs')
# The letters of Hangul and Braille that show nothing.
_FILLERS = '\u115f\u1160\u3164\uffa0\u2800'
_FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_TIME = datetime(3000, 1, 1, tzinfo=UTC)


def check_title(title: str) -> None:
    if not _has_visible_characters(title):
        raise InvalidValue('title', 'must not be blank')
    if any(unicodedata.category(character) in _CONTROLS for character in title):
        raise InvalidValue('title', 'must not have line breaks and other control characters')
    if len(title) > TITLE_LENGTH:
        raise InvalidValue('title', f'must have at most {TITLE_LENGTH} characters')


def _has_visible_characters(text: str) -> bool:
    return any(
        unicodedata.category(character) not in _INVISIBLE and character not in _FILLERS for character in text
    )


def check_body(body: str) -> None:
    if len(body.encode()) > BODY_SIZE:
        raise InvalidValue('body', f'must have at most {BODY_SIZE // 1024} KiB of text')


def check_summary(summary: str) -> None:
    if not summary.strip():
        raise InvalidValue('summary', 'must not be blank; null takes the first paragraph')
    if len(summary) > SUMMARY_LENGTH:
        raise InvalidValue('summary', f'must have at most {SUMMARY_LENGTH} characters')


def check_position(position: int) -> None:
    if not 0 <= position <= LARGEST_POSITION:
        raise InvalidValue('position', f'must be a whole number from 0 to {LARGEST_POSITION}')


def check_published_at(time: datetime) -> None:
    if not _FIRST_TIME <= time < _LAST_TIME:
        raise InvalidValue(
            'published_at', f'must lie in the years {_FIRST_TIME.year} to {_LAST_TIME.year - 1}'
        )


def check_cover_image(url: str, is_own_image: Callable[[str], bool]) -> None:
    if len(url) > URL_LENGTH:
        raise InvalidValue('cover_image', f'must have at most {URL_LENGTH} characters')
    if not is_own_image(url) and not _is_https(url):
        raise InvalidValue(
            'cover_image', "must be the URL of an uploaded image, or one that begins with 'https://'"
        )


def _is_https(url: str) -> bool:
    # The characters of RFC 3986, section 2, are safe in any attribute or header.
    if not url.isascii() or not url.isprintable() or any(character in ' "<>\\^`{|}' for character in url):
        return False
    try:
        parts = urlsplit(url)
        # urlsplit parses the port lazily.
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme == 'https' and bool(parts.hostname) and parts.username is None


def normalise_tags(tags: Iterable[str]) -> list[str]:
    """Return the tags in normal form, without duplicates, in their original order."""
    normal = list(dict.fromkeys(normalise_tag(tag) for tag in tags))
    if len(normal) > TAGS:
        raise InvalidValue('tags', f'must have at most {TAGS} items')
    return normal


def normalise_tag(tag: str) -> str:
    """Return the tag in lower case, with single spaces."""
    # A capital İ in lower case is an i with a second dot.
    lowered = unicodedata.normalize('NFKC', tag).lower().replace('i\u0307', 'i')
    normal = ' '.join(unicodedata.normalize('NFKC', lowered).split())
    if not 0 < len(normal) <= TAG_LENGTH:
        raise InvalidValue('tags', f'must have items of 1 to {TAG_LENGTH} characters')
    if not normal.isprintable() or ',' in normal:
        raise InvalidValue('tags', 'must have items without control characters and commas')
    return normal
