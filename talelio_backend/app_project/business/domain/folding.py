"""Folding of texts, so that they are found as people type them.

The database indexes what its function `fold_text` returns, which does the same as this module.
"""
import re
from functools import lru_cache
from itertools import accumulate
from unicodedata import normalize

# Accents, Hebrew and Arabic points, tatweel, invisible characters. In other scripts a mark may be a vowel.
_DROPPED = re.compile(
    '[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c'
    '\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08e1'
    '\u08e3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u200b\u200d-\u200f\u2060\u20d0-\u20ff\ufe00-\ufe0f'
    '\ufe20-\ufe2f\ufeff]+'
)
# Letters that Unicode does not decompose, and the non-joiner, which Persian has between parts of a word.
_LETTERS = str.maketrans(
    dict(zip('ςøłđðħŧŋı\u200c', 'σolddhtni ')) | {
        'ß': 'ss',
        'æ': 'ae',
        'œ': 'oe',
        'þ': 'th'
    }
)
# The letters of Thai, Lao, Myanmar, Khmer, Chinese and Japanese, which have no spaces between words.
UNSPACED = (
    '\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d'
    '\u1780-\u17d3\u17dc\u17dd\u3005-\u3007\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff'
    '\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ef\ua9fa-\ua9fe'
    '\uaa60-\uaa7f\uf900-\ufaff\U00020000-\U0003ffff'
)


def fold(text: str) -> str:
    """Return the text in lower case, without accents and the like, in composed form."""
    return normalize('NFC', fold_letters(text))


def fold_letters(text: str) -> str:
    """Return the same in decomposed form: the sum of what each letter becomes."""
    return _DROPPED.sub('', normalize('NFKD', text)).lower().translate(_LETTERS)


def ends_of_letters(text: str) -> list[int]:
    """Return where each letter ends in `fold_letters(text)`."""
    return list(accumulate(_length(letter) for letter in text))


@lru_cache(maxsize=10_000)
def _length(letter: str) -> int:
    return len(fold_letters(letter))
