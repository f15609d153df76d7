"""Code blocks as HTML, highlighted by Pygments, in the form that highlighters in browsers expect."""
import re
from dataclasses import dataclass
from functools import cache
from html import escape, unescape

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.lexers.special import TextLexer

# Further ranges of `hl_lines="1-3 7"` are ignored.
_MAX_RANGES = 100

_OPTION = re.compile(r'''([\w-]+)=(?:"([^"]*)"|'([^']*)')''')
_LANGUAGE_IN_LIST = re.compile(r'\{[ ]*\.([^\s}]+)([^}]*)\}')
_RANGE = re.compile(r'([0-9]{1,6})(?:-([0-9]{1,6}))?')
_PLAIN_BLOCK = re.compile(r'(<pre><code class="language-([^" ]+)">)([^<]+)(?=</code></pre>)')


@dataclass(frozen=True)
class FenceInfo:
    """The info string of a fenced code block."""

    language: str
    title: str
    # Line numbers, as in `1-3 7`.
    marked_lines: str

    @classmethod
    def read(cls, info: str) -> 'FenceInfo':
        info = info.strip()
        in_list = _LANGUAGE_IN_LIST.fullmatch(info)
        language, _, rest = (in_list[1], '', in_list[2]) if in_list else info.partition(' ')
        options = {name: double or single for name, double, single in _OPTION.findall(rest)}
        return cls(language, options.get('title', ''), options.get('hl_lines', ''))


def code_html(code: str, info: FenceInfo) -> str:
    """Return a code block. Only one with marked lines is highlighted here."""
    content = _with_marked_lines(code, info) if info.marked_lines and code else escape(code)
    title = f'<span class="filename">{escape(info.title)}</span>' if info.title else ''
    class_ = f' class="language-{escape(info.language)}"' if info.language else ''
    return f'<div class="highlight">{title}<pre><code{class_}>{content}</code></pre></div>\n'


def highlight_code(html: str) -> str:
    """Highlight the code blocks of sanitized HTML whose language is known.

    Doing it last spares the sanitizer and the outline an element per token of the code.
    """
    return _PLAIN_BLOCK.sub(_highlighted, html)


def _highlighted(block: re.Match[str]) -> str:
    lexer = _lexer(block[2].lower())
    if lexer is None:
        return block[0]
    html = highlight(unescape(block[3]), lexer, _formatter())
    # Escape like the sanitizer, so that sanitizing again changes nothing.
    return block[1] + html.replace('&quot;', '"').replace('&#39;', "'").replace('\xa0', '&nbsp;')


def _with_marked_lines(code: str, info: FenceInfo) -> str:
    lexer = _lexer(info.language.lower()) or TextLexer(stripnl=False)
    lines: set[int] = set()
    for first, last in _RANGE.findall(info.marked_lines)[:_MAX_RANGES]:
        lines.update(range(int(first), min(int(last or first), code.count('\n')) + 1))
    return highlight(code, lexer, HtmlFormatter(nowrap=True, hl_lines=sorted(lines)))


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)


@cache
def _lexer(name: str) -> Lexer | None:
    # For an unknown name, Pygments would search the installed plugins, which takes 8 MB.
    return get_lexer_by_name(name, stripnl=False) if name in _languages() else None


@cache
def _languages() -> frozenset[str]:
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)
