"""Links for bare URLs and e-mail addresses, as on GitHub.

Unlike mdit-py-plugins' gfm_autolink, it also finds them next to Chinese and Japanese, which have no spaces.
"""
import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# Chinese and Japanese punctuation, which ends a URL.
_WIDE_PUNCTUATION = '\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’…'
_HOST = r'[\w-]+(?:\.[\w-]+)*'
_REST = rf'(?:(?::\d+)?[/?#][^\s<{_WIDE_PUNCTUATION}]*)?'
_HOST_OF_WEB = re.compile(rf'://({_HOST})')
_REST_OF_WEB = re.compile(_REST)
# A letter of a script with spaces may not precede it.
_WWW_OR_EMAIL = re.compile(
    r'(?<![^\s*_~(\u2e80-\uffef“‘])'
    rf'(?:www\.({_HOST}\.[\w-]+){_REST}|[A-Za-z0-9.+_-]{{1,64}}@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)'
)
_LINK_TAG = re.compile('</?a[ >]', re.IGNORECASE)
_ENTITY = re.compile(r'&[a-zA-Z0-9]+;')


def link_bare_urls(parser: MarkdownIt) -> None:
    # Before emphasis, since a URL may contain `_` and `*`.
    parser.inline.ruler.before('emphasis', 'web_addresses', _web_address)
    parser.core.ruler.after('inline', 'www_and_email', _www_and_email)


def _web_address(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != ':' or silent or state.linkLevel > 0:
        return False
    scheme = next((each for each in ('https', 'http') if state.pending[-5:].lower().endswith(each)), '')
    before = state.pending[:-len(scheme)][-1:]
    host = scheme and _HOST_OF_WEB.match(state.src, state.pos, state.posMax)
    if not host or before.isascii() and before.isalnum() or not _is_host(host[1]):
        return False
    rest = _REST_OF_WEB.match(state.src, host.end(), state.posMax)
    address = _without_trailing_punctuation(
        state.pending[-len(scheme):] + host[0] + (rest[0] if rest else '')
    )
    state.pending = state.pending[:-len(scheme)]
    for token in _link(address, address):
        state.push(token.type, token.tag, token.nesting)
        state.tokens[-1].attrs, state.tokens[-1].content = token.attrs, token.content
        state.tokens[-1].info = token.info
    state.pos += len(address) - len(scheme)
    return True


def _www_and_email(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == 'inline' and token.children and ('www.' in token.content or '@' in token.content):
            token.children = list(_with_links(token.children))


def _with_links(tokens: list[Token]) -> Iterator[Token]:
    links = 0
    for token in tokens:
        if token.tag == 'a' or token.type == 'html_inline' and _LINK_TAG.match(token.content):
            links += -1 if token.nesting < 0 or token.content.startswith('</') else 1
        if token.type != 'text' or links > 0:
            yield token
            continue
        position = 0
        for match in _WWW_OR_EMAIL.finditer(token.content):
            address = _without_trailing_punctuation(match[0])
            if not _is_host(match[1]) if match[1] else match[0][-1] in '-_':
                continue
            yield Token('text', '', 0, content=token.content[position:match.start()])
            yield from _link(('http://' if match[1] else 'mailto:') + address, address)
            position = match.start() + len(address)
        yield Token('text', '', 0, content=token.content[position:])


def _is_host(name: str) -> bool:
    return '_' not in ''.join(name.rsplit('.', 2)[-2:])


def _link(href: str, text: str) -> Iterator[Token]:
    yield Token('link_open', 'a', 1, attrs={'href': href}, info='auto')
    yield Token('text', '', 0, content=text)
    yield Token('link_close', 'a', -1, info='auto')


def _without_trailing_punctuation(address: str) -> str:
    """See https://github.github.com/gfm/#extended-autolink-path-validation."""
    end = len(address)
    unopened = address.count(')') - address.count('(')
    while end:
        last = address[end - 1]
        if last == ';':
            start = address.rfind('&', 0, end)
            end = start if start >= 0 and _ENTITY.fullmatch(address, start, end) else end - 1
        elif last in '?!.,:*_~\'"[]' or last == ')' and unopened > 0:
            unopened -= last == ')'
            end -= 1
        else:
            break
    return address[:end]
