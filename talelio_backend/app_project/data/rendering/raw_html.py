"""HTML within a text, before it is cleaned: what is no HTML stays to be read, and what will go is told.

Otherwise `Vec<String>` would lose its end, and one `<style>` without an end the rest of the text.
"""
import re
from collections import Counter
from collections.abc import Iterator

from markdown_it.rules_block import StateBlock, html_block
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from talelio_backend.app_project.data.rendering.dropped_html import Warnings
from talelio_backend.app_project.data.rendering.html_elements import DROPPED, DROPPED_WITH_CONTENT, KEPT

_KNOWN = KEPT | DROPPED | DROPPED_WITH_CONTENT

_NAME = re.compile(r'</?([A-Za-z][A-Za-z0-9-]*)')
_TAG = re.compile(
    r'<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)'
    r'(?P<attributes>(?:\s+[a-zA-Z_:][\w:.-]*'
    r'''(?:\s*=\s*(?:[^"'=<>`\x00-\x20]+|'[^']*'|"[^"]*"))?)*)\s*/?>''', re.ASCII
)
_COMMENT = re.compile(r'<!--.*?-->', re.DOTALL)
# What begins so goes on to the end, over blank lines too.
_LONG_BLOCKS = (('<!--', '-->'), ('<?', '?>'), ('<![CDATA[', ']]>'), ('<!', '>'))


def html_block_with_end(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Stand in for the parser's rule, which takes a block without an end to reach to the end of the text."""
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
    """Return where the text is for the last time; found once, however many ask."""
    found: dict[str, int] = state.env.setdefault('last', {})
    if text not in found:
        found[text] = state.src.lower().rfind(text.lower())
    return found[text]


def keep_unknown_tags(state: StateCore) -> None:
    """A rule of the parser: show tags of no element of HTML, and those that would swallow what follows."""
    warnings = Warnings.of(state.env)
    ends: Counter[str] = Counter()
    told: list[tuple[int, re.Match[str]]] = []
    for token, line in reversed(list(_html_tokens(state.tokens))):
        pieces: list[str] = []
        position = len(token.content)
        for tag in reversed(list(_tags(token.content))):
            name = tag['name'].lower()
            if tag['end']:
                ends[name] += 1
            shown = name not in _KNOWN
            if name in DROPPED_WITH_CONTENT and not tag['end']:
                shown = not ends[name]
                ends[name] -= not shown
            if shown:
                pieces += token.content[tag.start() + 1:position], '&lt;'
                position = tag.start()
            elif not tag['end']:
                told.append((line + token.content.count('\n', 0, tag.start()), tag))
        token.content = token.content[:position] + ''.join(reversed(pieces))
    for line, tag in reversed(told):
        warnings.of_tag(line, tag[0], tag['name'].lower(), tag['attributes'])


def _html_tokens(tokens: list[Token]) -> Iterator[tuple[Token, int]]:
    """Yield them with the numbers of their lines."""
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
    """Yield the tags that are not within comments."""
    position = 0
    comments_end = html.rfind('-->')
    while position < len(html):
        comment = _COMMENT.search(html, position) if position <= comments_end else None
        until = comment.start() if comment else len(html)
        yield from _TAG.finditer(html, position, until)
        position = comment.end() if comment else until
