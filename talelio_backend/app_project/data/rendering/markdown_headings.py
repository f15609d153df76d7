"""Ids of headings. Links depend on them, so the algorithm must not change."""
import re
import unicodedata

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from talelio_backend.app_project.data.rendering.sanitizer import ID_PREFIX

_TAG = re.compile(r'<[^<>]*>')
_NOT_IN_SLUG = re.compile(r'[^\w\- ]')
_NUMBERED = re.compile(r'(.*)_([0-9]+)')


def add_heading_ids(state: StateCore) -> None:
    """Core rule: give each heading an id, unless the author did."""
    ids = _NumberedIds()
    for heading, content in zip(state.tokens, state.tokens[1:]):
        if heading.type == 'heading_open' and 'id' not in heading.attrs:
            # The prefix keeps `Title` and `User content title` apart.
            heading.attrSet('id', ids.take(ID_PREFIX + _slug(_plain_text(content.children or []))))


def _plain_text(tokens: list[Token]) -> str:
    return ''.join(
        ' ' if token.type == 'softbreak' else token.content for token in tokens if token.type != 'html_inline'
    )


def _slug(text: str) -> str:
    name = _TAG.sub('', unicodedata.normalize('NFC', text)).strip().lower()
    # The fallback is for headings without letters, such as emoji.
    return _NOT_IN_SLUG.sub('', name).replace(' ', '-').strip('-') or 'section'


class _NumberedIds:
    """Appends `_1`, `_2` … to repeated names."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        # The last number per name, which avoids quadratic time.
        self._last: dict[str, int] = {}

    def take(self, name: str) -> str:
        unique = name
        if name in self._taken:
            match = _NUMBERED.fullmatch(name)
            stem, number = (match[1], int(match[2])) if match else (name, 0)
            number = self._last.get(name, number)
            while unique in self._taken:
                number += 1
                unique = f'{stem}_{number}'
            self._last[name] = number
        self._taken.add(unique)
        return unique
