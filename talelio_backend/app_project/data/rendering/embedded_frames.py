"""Frames of trusted hosts: `<iframe>` elements that the HTML keeps.

The sanitizer never sees them. A core rule replaces each by a mark, which is text. `Frames.insert_into` puts
elements of its own making in place of the marks in the sanitized HTML.
"""
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape, unescape

from markdown_it.common.html_re import attribute
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from talelio_backend.app_project.data.rendering.dropped_html import ATTRIBUTE, Warnings
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts

# What every frame gets. The sandbox keeps the embedded page from navigating the reader away.
_FORCED = (
    'sandbox="allow-scripts allow-same-origin allow-presentation allow-popups" '
    'allow="fullscreen; picture-in-picture; encrypted-media" loading="lazy" '
    'referrerpolicy="strict-origin-when-cross-origin"'
)
# Their loss does not matter, since each frame gets its own.
_REPLACED = frozenset({
    'allow', 'allowfullscreen', 'frameborder', 'loading', 'marginheight', 'marginwidth', 'referrerpolicy',
    'sandbox', 'scrolling'
})
_VALUES = {
    'src': re.compile(r'https://([A-Za-z0-9.-]+)(?::443)?(?:[/?#][^\s"\'<>\\^`{|}]*)?', re.ASCII),
    'title': re.compile(r'[^\0]*'),
    'width': re.compile(r'[0-9]{1,4}%?'),
    'height': re.compile(r'[0-9]{1,4}%?'),
}
_OPEN = rf'<iframe(?P<attributes>{attribute}*)\s*/?>'
_START = re.compile(_OPEN, re.ASCII | re.IGNORECASE)
_ELEMENT = re.compile(_OPEN + r'\s*</iframe\s*>', re.ASCII | re.IGNORECASE)
_END = re.compile(r'</iframe\s*>', re.IGNORECASE)
# Not within a tag. The sanitizer escapes `<` and `>` even within attributes.
_TAG_OR_MARK = re.compile(r'<[^>]*>|\ue000([0-9a-f]{32})-([0-9]+)\ue000')


class Frames:
    """The frames of one text."""

    def __init__(self, text: str, hosts: TrustedHosts, warnings: Warnings) -> None:
        self._hosts = hosts
        self._warnings = warnings
        self._elements: list[str] = []
        # No text can contain its own digest, so nobody can write a mark.
        self._digest = sha256(text.encode()).hexdigest()[:32]

    def mark(self, attributes: str, line: int) -> str | None:
        """Return the mark of the frame, or None if it is not allowed."""
        given = {name.lower(): ''.join(values) for name, *values in reversed(ATTRIBUTE.findall(attributes))}
        kept = {
            name: value
            for name, value in ((name, unescape(given[name])) for name in _VALUES if name in given)
            if _VALUES[name].fullmatch(value)
        }
        source = _VALUES['src'].fullmatch(kept.get('src', ''))
        if source is None or not self._hosts.may_embed(source[1]):
            return None
        for name in given:
            if name not in kept and name not in _REPLACED:
                self._warnings.add('attribute', line, f'{name}="{given[name]}"' if given[name] else name)
        written = ' '.join(f'{name}="{escape(value)}"' for name, value in kept.items())
        self._elements.append(f'<iframe {written} {_FORCED}></iframe>')
        return f'\ue000{self._digest}-{len(self._elements) - 1}\ue000'

    def mark_all(self, html: str, line: int) -> str:
        """Replace the allowed frames of raw HTML that begins in this line."""
        return _ELEMENT.sub(
            lambda found: self.mark(found['attributes'], line + html.count('\n', 0, found.start())) or found[
                0], html
        )

    def insert_into(self, html: str) -> str:
        """Replace the marks in sanitized HTML."""
        if not self._elements:
            return html

        def element(found: re.Match[str]) -> str:
            return self._elements[int(found[2])] if found[1] == self._digest else found[0]

        # A mark in an attribute, of a broken tag, goes away with its frame.
        return _TAG_OR_MARK.sub(element, html)


def mark_frames(state: StateCore) -> None:
    """Core rule: replace allowed frames by their marks."""
    frames: Frames | None = state.env.get('frames')
    if frames is None:
        return
    line = 0
    for token in state.tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == 'html_block':
            token.content = frames.mark_all(token.content, line)
        for start, end in _pairs(token.children or ()):
            found = _START.fullmatch(start.content)
            mark = frames.mark(found['attributes'], line) if found else None
            if mark is not None:
                start.content, end.content = mark, ''


def _pairs(children: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Yield the raw tags of frames in a paragraph."""
    for start, end in zip(children, children[1:]):
        if start.type == end.type == 'html_inline' and _END.fullmatch(end.content):
            yield start, end
