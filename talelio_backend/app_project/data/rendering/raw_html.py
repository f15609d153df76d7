"""Raw HTML in Markdown: escapes tags that are not HTML, and warns of elements that the sanitizer removes.

Without this, `Vec<String>` would lose its parameter, and an unclosed `<style>` would swallow the text.
"""
import re
from collections import Counter
from collections.abc import Iterator

from markdown_it.common.html_re import attribute
from markdown_it.rules_block import StateBlock, html_block
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from talelio_backend.app_project.data.rendering.dropped_html import Warnings
from talelio_backend.app_project.data.rendering.html_elements import DROPPED, DROPPED_WITH_CONTENT, KEPT

_KNOWN = KEPT | DROPPED | DROPPED_WITH_CONTENT

_NAME = re.compile(r'</?([A-Za-z][A-Za-z0-9-]*)')
_TAG = re.compile(rf'<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)(?P<attributes>{attribute}*)\s*/?>', re.ASCII)
_COMMENT = re.compile(r'<!--.*?-->', re.DOTALL)
# These blocks include blank lines up to their end.
_LONG_BLOCKS = (('<!--', '-->'), ('<?', '?>'), ('<![CDATA[', ']]>'), ('<!', '>'))


def html_block_with_end(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule in place of the parser's, whose unclosed blocks extend to the end of the text."""
    line = state.src[state.bMarks[start_line] + state.tShift[start_line]:state.eMarks[start_line]]
    if not line.startswith('<'):
        return False
    name = _NAME.match(line)
    if name and name[1].lower() not in _KNOWN:
        return False
    end = f'</{name[1].lower()}' if name and name[1].lower() in DROPPED_WITH_CONTENT else next(
        (end for begin, end in _LONG_BLOCKS if line.startswith(begin)), ''
    )
    if end and _last(state, end) < state.bMarks[start_line]:
        return False
    return html_block(state, start_line, end_line, silent)


def _last(state: StateBlock, text: str) -> int:
    """Return the last position of the text, cached against quadratic time."""
    found: dict[str, int] = state.env.setdefault('last', {})
    if text not in found:
        found[text] = state.src.lower().rfind(text.lower())
    return found[text]


def escape_unknown_tags(state: StateCore) -> None:
    """Core rule: escape the tags of unknown elements, and unclosed ones that would swallow the text."""
    warnings = Warnings.of(state.env)
    ends: Counter[str] = Counter()
    kept: list[tuple[int, re.Match[str]]] = []
    for token, line in reversed(list(_html_tokens(state.tokens))):
        pieces: list[str] = []
        position = len(token.content)
        for tag in reversed(list(_tags(token.content))):
            name = tag['name'].lower()
            if tag['end']:
                ends[name] += 1
            escaped = name not in _KNOWN
            if name in DROPPED_WITH_CONTENT and not tag['end']:
                escaped = not ends[name]
                ends[name] -= not escaped
            if escaped:
                pieces += token.content[tag.start() + 1:position], '&lt;'
                position = tag.start()
            elif not tag['end']:
                kept.append((line + token.content.count('\n', 0, tag.start()), tag))
        token.content = token.content[:position] + ''.join(reversed(pieces))
    for line, tag in reversed(kept):
        warnings.add_tag(line, tag[0], tag['name'].lower(), tag['attributes'])


def _html_tokens(tokens: list[Token]) -> Iterator[tuple[Token, int]]:
    """Yield the tokens of raw HTML with their line numbers."""
    line = 0
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == 'html_block':
            yield token, line
        for child in token.children or ():
            if child.type == 'html_inline':
                yield child, line
            line += child.type in ('softbreak', 'hardbreak') or child.content.count('\n')


def _tags(html: str) -> Iterator[re.Match[str]]:
    """Yield the tags outside of comments."""
    position = 0
    comments_end = html.rfind('-->')
    while position < len(html):
        comment = _COMMENT.search(html, position) if position <= comments_end else None
        until = comment.start() if comment else len(html)
        yield from _TAG.finditer(html, position, until)
        position = comment.end() if comment else until
