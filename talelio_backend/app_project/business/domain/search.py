"""Parsing a search query, and excerpting the places where it matches."""
import html
import re
import string
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from unicodedata import normalize

from talelio_backend.app_project.business.domain.folding import UNSPACED, ends_of_letters, fold, fold_letters
from talelio_backend.app_project.business.domain.truncation import end_of_letter, truncate
from talelio_backend.shared.business.errors import InvalidValue

QUERY_LENGTH = 200
WORDS = 16

# `C++` and `C#` would be indexed as `c`. Letters replace the signs.
PLUSES = (r'(?<=[a-z0-9])\+\+', 'zpzp')
SHARP = (r'(?<=[a-z0-9])#(?![a-z0-9])', 'zs')
# These separate words, also within `foo_bar`, `node.js` and paths. PostgreSQL's own parser would take some
# of them for parts of words, and others for markup.
SEPARATORS = string.punctuation + '\u00a0«»·¡¿‐‑‒–—―‘’‚“”„†•…‹›、。「」『』，．：；！？（）'
_SPACES = str.maketrans(SEPARATORS, ' ' * len(SEPARATORS))
_PIECES = re.compile(rf'[{UNSPACED}]+|[^\s{UNSPACED}]+')
_UNSPACED = re.compile(f'[{UNSPACED}]')

_MARKUP = re.compile(r'^[ ]{0,3}(?:#{1,6}[ ]+|>[ ]?)|[*`]+', re.MULTILINE)
# The characters of a snippet before and after the first match.
_BEFORE, _AFTER = 80, 160


@dataclass(frozen=True)
class Terms:
    """The words of a query, each split at its separators. A text must contain all words.

    What is written without spaces is a piece of its own within a word.
    """

    words: tuple[tuple[str, ...], ...]

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(_pattern(word)) for word in self.words)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile('|'.join(_pattern(word) for word in self.words))

    def match(self, text: str) -> bool:
        folded = fold_letters(text)
        return all(pattern.search(folded) for pattern in self.patterns)

    def snippet(self, *texts: str) -> str:
        """Return the first match with its surroundings, as HTML whose only element is <mark>.

        The first text with a match is used, or else the beginning of the first text that is not empty.
        """
        plain = [' '.join(_MARKUP.sub('', text).split()) for text in texts]
        found = ((text, start) for text in plain for start, _ in self._matches(text))
        text, place = next(found, (next((text for text in plain if text), ''), 0))
        start = max(0, place - _BEFORE)
        if start:
            start = text.find(' ', start, start + _BEFORE // 3) + 1 or end_of_letter(text, start)
        shown = truncate(text[start:], place - start + _AFTER)
        is_cut = start + len(shown) < len(text)
        return f'{"…" if start else ""}{self._highlight(shown)}{"…" if is_cut else ""}'

    def _highlight(self, text: str) -> str:
        parts, last = [], 0
        for start, end in self._matches(text):
            parts += [html.escape(text[last:start]), f'<mark>{html.escape(text[start:end])}</mark>']
            last = end
        return ''.join([*parts, html.escape(text[last:])])

    def _matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the places of the text that match in its folded form."""
        ends: list[int] = []
        last = 0
        for match in self._any.finditer(fold_letters(text)):
            start, end = match.span()
            if not text.isascii():
                ends = ends or ends_of_letters(text)
                # A letter may become several, or a mark none.
                start = bisect_right(ends, start)
                end = max(bisect_left(ends, end) + 1, bisect_right(ends, end))
            if start >= last:
                yield start, end
                last = end


def parse_terms(query: str) -> Terms:
    """Raises InvalidValue."""
    if len(query) > QUERY_LENGTH:
        raise InvalidValue('q', f'must have at most {QUERY_LENGTH} characters')
    folded = fold(query)
    for pattern, letters in (PLUSES, SHARP):
        folded = re.sub(pattern, letters, folded)
    words = [tuple(_PIECES.findall(word.translate(_SPACES))) for word in folded.split()]
    words = [word for word in words if any(character.isalnum() for character in ''.join(word))]
    if not words:
        raise InvalidValue('q', 'must have a letter or a digit')
    if len(words) > WORDS:
        raise InvalidValue('q', f'must have at most {WORDS} words')
    return Terms(tuple(words))


def to_lexemes(word: tuple[str, ...]) -> list[str]:
    """Return what is indexed for the word, in order.

    Of `使用pip` the index has 使, 使用, 用, pip. Within longer text it has neither a first 使 nor a last 用.
    """
    lexemes: list[str] = []
    for place, piece in enumerate(word, 1):
        if not _is_unspaced(piece):
            lexemes.append(piece)
            continue
        pairs = [first + second for first, second in pairwise(piece)]
        first = piece[:1] if place > 1 or len(word) == len(piece) == 1 else ''
        last = piece[-1:] if place < len(word) else ''
        lexemes += [lexeme for lexeme in (first, *pairs, last) if lexeme]
    return lexemes


def matches_prefix(word: tuple[str, ...]) -> bool:
    """Return whether the word also matches longer ones. A single letter would match nearly everything."""
    return len(word[-1]) > 1 or _is_unspaced(word[-1])


def _is_unspaced(piece: str) -> bool:
    return _UNSPACED.match(piece) is not None


def _pattern(word: tuple[str, ...]) -> str:
    # An underscore separates words. Where there are no spaces, a match begins and ends anywhere.
    pattern = '' if _is_unspaced(word[0]) else rf'(?<![^\W_{UNSPACED}])'
    for place, piece in enumerate(word):
        if place:
            least = 0 if _is_unspaced(piece) or _is_unspaced(word[place - 1]) else 1
            pattern += rf'[\W_]{{{least},3}}'
        letters = re.escape(normalize('NFD', piece)).replace(PLUSES[1], rf'(?:{PLUSES[1]}|\+\+)')
        pattern += re.sub('zs$', '(?:zs|#)', letters)
    if _is_unspaced(word[-1]):
        # A letter without its mark is another one.
        return rf'{pattern}(?![\u3099\u309a])'
    return pattern + (rf'[^\W{UNSPACED}]*' if matches_prefix(word) else rf'(?![^\W{UNSPACED}]|\+\+|#)')
