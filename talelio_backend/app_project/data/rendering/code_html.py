"""Code as HTML, in the form that highlighters in browsers know, and coloured already by Pygments' classes."""
import re
from dataclasses import dataclass
from functools import cache
from html import escape, unescape

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.lexers.special import TextLexer

# Of a line with many ranges, such as `hl_lines="1-3 7"`, those further on are left out.
_MOST_RANGES = 100

_OPTION = re.compile(r'''([\w-]+)=(?:"([^"]*)"|'([^']*)')''')
_LANGUAGE_IN_LIST = re.compile(r'\{[ ]*\.([^\s}]+)([^}]*)\}')
_RANGE = re.compile(r'([0-9]{1,6})(?:-([0-9]{1,6}))?')
_PLAIN_BLOCK = re.compile(r'(<pre><code class="language-([^" ]+)">)([^<]+)(?=</code></pre>)')


@dataclass(frozen=True)
class FenceInfo:
    """What stands behind the ``` of a block."""

    language: str
    title: str
    # Numbers of lines, as in `1-3 7`.
    marked_lines: str

    @classmethod
    def read(cls, info: str) -> 'FenceInfo':
        info = info.strip()
        in_list = _LANGUAGE_IN_LIST.fullmatch(info)
        language, _, rest = (in_list[1], '', in_list[2]) if in_list else info.partition(' ')
        options = {name: double or single for name, double, single in _OPTION.findall(rest)}
        return cls(language, options.get('title', ''), options.get('hl_lines', ''))


def code_html(code: str, info: FenceInfo) -> str:
    """Return a block without colours, unless there are lines to mark in it."""
    shown = _marked(code, info) if info.marked_lines and code else escape(code)
    title = f'<span class="filename">{escape(info.title)}</span>' if info.title else ''
    class_ = f' class="language-{escape(info.language)}"' if info.language else ''
    return f'<div class="highlight">{title}<pre><code{class_}>{shown}</code></pre></div>\n'


def colour(html: str) -> str:
    """Colour the blocks of cleaned HTML whose language is known.

    Afterwards, for then neither cleaning nor reading the HTML has to look at each word of the code.
    """
    return _PLAIN_BLOCK.sub(_coloured, html)


def _coloured(block: re.Match[str]) -> str:
    lexer = _lexer(block[2].lower())
    if lexer is None:
        return block[0]
    return block[1] + _as_cleaned(highlight(unescape(block[3]), lexer, _formatter()))


def _as_cleaned(html: str) -> str:
    """Return text as cleaning writes it, which changes nothing then."""
    return html.replace('&quot;', '"').replace('&#39;', "'").replace('\xa0', '&nbsp;')


def _marked(code: str, info: FenceInfo) -> str:
    lexer = _lexer(info.language.lower()) or TextLexer(stripnl=False)
    lines: set[int] = set()
    for first, last in _RANGE.findall(info.marked_lines)[:_MOST_RANGES]:
        lines.update(range(int(first), min(int(last or first), code.count('\n')) + 1))
    return highlight(code, lexer, HtmlFormatter(nowrap=True, hl_lines=sorted(lines)))


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)


@cache
def _lexer(name: str) -> Lexer | None:
    # An unknown one would be looked for in whatever else is installed, which takes 8 MB.
    return get_lexer_by_name(name, stripnl=False) if name in _languages() else None


@cache
def _languages() -> frozenset[str]:
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)
