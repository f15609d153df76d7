"""Parsing a search query, and excerpting the places where it matches."""
import html
import re
import string
from dataclasses import dataclass
from functools import cached_property

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

_BETWEEN = r'[\W_]{1,3}'
_MARKUP = re.compile(r'^[ ]{0,3}(?:#{1,6}[ ]+|>[ ]?)|[*`]+', re.MULTILINE)
# The characters of a snippet before and after the first match.
_BEFORE, _AFTER = 80, 160


@dataclass(frozen=True)
class Terms:
    """The words of a query, each split at its separators. A text must contain all words."""

    words: tuple[tuple[str, ...], ...]

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(_pattern(word), re.IGNORECASE) for word in self.words)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile('|'.join(_pattern(word) for word in self.words), re.IGNORECASE)

    def match(self, text: str) -> bool:
        return all(pattern.search(text) for pattern in self.patterns)

    def snippet(self, *texts: str) -> str:
        """Return the first match with its surroundings, as HTML whose only element is <mark>.

        The first text with a match is used, or else the beginning of the first text that is not empty.
        """
        plain = [' '.join(_MARKUP.sub('', text).split()) for text in texts]
        found = ((text, match.start()) for text in plain if (match := self._any.search(text)))
        text, place = next(found, (next((text for text in plain if text), ''), 0))
        start, end = max(0, place - _BEFORE), place + _AFTER
        if start:
            start = text.find(' ', start, place) + 1 or start
        if end < len(text):
            end = text.rfind(' ', place + 1, end) if ' ' in text[place + 1:end] else end
        cut = self._highlight(text[start:end])
        return f'{"…" if start else ""}{cut}{"…" if end < len(text) else ""}'

    def _highlight(self, text: str) -> str:
        parts, last = [], 0
        for match in self._any.finditer(text):
            parts += [html.escape(text[last:match.start()]), f'<mark>{html.escape(match[0])}</mark>']
            last = match.end()
        return ''.join([*parts, html.escape(text[last:])])


def parse_terms(query: str) -> Terms:
    """Raises InvalidValue."""
    if len(query) > QUERY_LENGTH:
        raise InvalidValue('q', f'must have at most {QUERY_LENGTH} characters')
    lowered = query.lower()
    for pattern, letters in (PLUSES, SHARP):
        lowered = re.sub(pattern, letters, lowered)
    words = [tuple(word.translate(_SPACES).split()) for word in lowered.split()]
    words = [word for word in words if any(character.isalnum() for character in ''.join(word))]
    if not words:
        raise InvalidValue('q', 'must have a letter or a digit')
    if len(words) > WORDS:
        raise InvalidValue('q', f'must have at most {WORDS} words')
    return Terms(tuple(words))


def matches_prefix(word: tuple[str, ...]) -> bool:
    """Return whether the word also matches longer ones. A single letter would match nearly everything."""
    return len(word[-1]) > 1


def _pattern(word: tuple[str, ...]) -> str:
    pieces = (
        re.sub('zs$', '(?:zs|#)',
               re.escape(piece).replace(PLUSES[1], rf'(?:{PLUSES[1]}|\+\+)')) for piece in word
    )
    ending = r'\w*' if matches_prefix(word) else r'(?!\w|\+\+|#)'
    # A match begins a word. An underscore separates words.
    return rf'(?<![^\W_]){_BETWEEN.join(pieces)}{ending}'
