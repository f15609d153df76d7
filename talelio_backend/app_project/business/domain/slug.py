"""Slugs: the part of a URL that names a project."""
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from secrets import token_hex

from talelio_backend.app_project.business.domain.truncation import truncate
from talelio_backend.shared.business.errors import InvalidValue

SLUG_LENGTH = 80
# For a title without letters and digits.
_FALLBACK = 'project'
# Within a word.
_APOSTROPHES = "'’"
# After this many numbers, random suffixes find a free slug sooner.
_NUMBERED = 50


def slugify(title: str) -> str:
    """Return the letters and digits of any script, in lower case, with '-' between the words."""
    decomposed = unicodedata.normalize('NFKD', unicodedata.normalize('NFKD', title).casefold())
    kept = unicodedata.normalize('NFC', ''.join(_kept(decomposed)))
    slug = re.sub('-+', '-', kept).strip('-')
    return truncate(slug, SLUG_LENGTH, '-') or _FALLBACK


def _kept(decomposed: str) -> Iterator[str]:
    base = ''
    for character in decomposed:
        if unicodedata.category(character).startswith('M'):
            # Only Latin letters lose their marks. In other scripts a mark may be a vowel.
            if base and not base.isascii():
                yield character
        elif character not in _APOSTROPHES:
            base = character if character.isalnum() else ''
            yield base or '-'


def candidates(title: str) -> Iterator[str]:
    """Yield slugs for a title without end, the best one first."""
    slug = slugify(title)
    yield slug
    for ending in chain(range(2, _NUMBERED + 1), iter(lambda: token_hex(6), None)):
        yield f'{truncate(slug, SLUG_LENGTH - len(str(ending)) - 1, "-")}-{ending}'


def is_well_formed_slug(text: str) -> bool:
    return 0 < len(text) <= SLUG_LENGTH and slugify(text) == text


def check_slug(slug: str) -> None:
    """Raises InvalidValue."""
    if not 0 < len(slug) <= SLUG_LENGTH:
        raise InvalidValue('slug', f'must have 1 to {SLUG_LENGTH} characters')
    if not is_well_formed_slug(slug):
        raise InvalidValue(
            'slug', f"may hold lower-case letters without accents and digits, and single '-' between them, "
            f"such as '{slugify(slug)}'"
        )
