"""From Markdown, which anyone may have written, to HTML that a page can take as it is.

It reads no file of its own, keeps nothing between two texts, and is not bounded in time: run it in a
`SandboxedWorker`.
"""
import json
import re

from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.data.rendering.code_html import colour
from talelio_backend.app_project.data.rendering.dropped_html import Warnings
from talelio_backend.app_project.data.rendering.html_outline import Outline
from talelio_backend.app_project.data.rendering.markdown_engine import make_parser
from talelio_backend.app_project.data.rendering.sanitizer import Unsettled, sanitize
from talelio_backend.shared.workers.sandboxed_worker_child import LimitExceeded

# Far over any sensible text. A table of 6 kB can ask for 10 MB, since each of its rows is filled up
# to the width of the first.
MAX_HTML_BYTES = 2 * 1024 * 1024

# YAML between `---`, or TOML between `+++`, at the very beginning. A rule over a text has no key behind it.
_FRONT_MATTER = re.compile(
    r'(?:---[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w"\'][^\n:]*:(?:[ \t\n]).*?^(?:---|\.\.\.)[ \t]*$'
    r'|\+\+\+[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w"\'\[].*?^\+\+\+[ \t]*$)', re.MULTILINE | re.DOTALL
)

_parser = make_parser()


def render(markdown: bytes) -> bytes:
    """Return a `Rendered` as JSON, for UTF-8 text.

    Raises LimitExceeded when the HTML has more than MAX_HTML_BYTES, as written or as cleaned.
    """
    warnings = Warnings()
    plain = _to_plain_html(markdown.decode(), warnings)
    outline = Outline(plain)
    rendered: Rendered = {
        'html': _coloured(plain),
        'excerpt': outline.excerpt,
        'toc': outline.toc,
        'words': outline.words,
        'warnings': warnings.in_order(),
    }
    return json.dumps(rendered, ensure_ascii=False).encode()


def to_html(text: str) -> str:
    """Return the safe HTML of the text. Raises LimitExceeded."""
    return _coloured(_to_plain_html(text, Warnings()))


def _to_plain_html(text: str, warnings: Warnings) -> str:
    text = _without_front_matter(text.removeprefix('\ufeff').replace('\r\n', '\n'))
    html: str = _parser.render(text, {'warnings': warnings})
    _check_size(html)
    try:
        cleaned = sanitize(html.strip('\n'))
    except Unsettled as error:
        raise LimitExceeded from error
    return _check_size(cleaned)


def _coloured(html: str) -> str:
    coloured = colour(html)
    # Each word of dense code, such as JSON, takes a tag for its colour, ten times its length.
    return coloured if len(coloured.encode()) <= MAX_HTML_BYTES else html


def _without_front_matter(text: str) -> str:
    match = _FRONT_MATTER.match(text)
    # Lines keep their numbers.
    return '\n' * match[0].count('\n') + text[match.end():] if match else text


def _check_size(html: str) -> str:
    if len(html.encode()) > MAX_HTML_BYTES:
        raise LimitExceeded
    return html


# What a first text imports, and compiles, is kept for the next. Let it be one that nobody waits for, and
# whose time counts for no one.
render(b'```c\n-\n```\n\nhttps://example.com')
