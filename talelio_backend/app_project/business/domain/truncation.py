"""Shortening texts. It imports little, which keeps the rendering process small."""
import re
from unicodedata import category, combining

# These belong to the letter before them, as marks do: joiners, skin tones, tags of flags, Korean vowels.
_JOINED = re.compile(
    '[\u200c\u200d\u0e33\u0eb3\u1160-\u11ff\ud7b0-\ud7fb\uff9e\uff9f'
    '\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]'
)
_JOINER = '\u200d'
# Two of these are a flag.
_FLAG_LETTER = re.compile('[\U0001f1e6-\U0001f1ff]')
# The combining class of marks that join two consonants.
_VIRAMA = 9


def truncate(text: str, length: int, space: str = ' ') -> str:
    """Return the beginning: whole words if they have two thirds of the length, or else whole letters."""
    if len(text) <= length:
        return text
    words = text[:length + 1].rpartition(space)[0]
    return words if 3 * len(words) >= 2 * length else text[:end_of_letter(text, length)]


def end_of_letter(text: str, place: int) -> int:
    """Return the last place up to the given one that is not within what readers take for one letter."""
    end = place
    while end and _is_within_letter(text, end):
        end -= 1
    # A letter of nothing but marks has no end.
    return end or place


def _is_within_letter(text: str, place: int) -> bool:
    """Follows https://unicode.org/reports/tr29/#Grapheme_Cluster_Boundary_Rules for texts that are in use."""
    before, after = text[place - 1], text[place]
    if _FLAG_LETTER.match(after):
        start = place
        while start and _FLAG_LETTER.match(text[start - 1]):
            start -= 1
        return (place - start) % 2 == 1
    is_joined = category(after)[0] == 'M' or _JOINED.match(after) is not None
    return is_joined or before == _JOINER or combining(before) == _VIRAMA
