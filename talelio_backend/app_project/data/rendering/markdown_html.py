"""Renders untrusted Markdown as safe HTML.

It opens no files, keeps no state between texts, and has no limit of time: run it in a `SandboxedWorker`.
"""
import json
import re

from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.data.rendering.code_html import highlight_code
from talelio_backend.app_project.data.rendering.dropped_html import Warnings
from talelio_backend.app_project.data.rendering.html_outline import Outline
from talelio_backend.app_project.data.rendering.markdown_engine import make_parser
from talelio_backend.app_project.data.rendering.sanitizer import UnstableHtml, sanitize
from talelio_backend.shared.workers.sandboxed_worker_child import LimitExceeded

# A table of 6 kB can grow to 10 MB, since each row is padded to the width of the first.
MAX_HTML_BYTES = 2 * 1024 * 1024

# YAML between `---`, or TOML between `+++`, at the beginning. After a horizontal rule there is no key.
_FRONT_MATTER = re.compile(
    r'(?:---[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w"\'][^\n:]*:(?:[ \t\n]).*?^(?:---|\.\.\.)[ \t]*$'
    r'|\+\+\+[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w"\'\[].*?^\+\+\+[ \t]*$)', re.MULTILINE | re.DOTALL
)

_parser = make_parser()


def render(markdown: bytes) -> bytes:
    """Return a `Rendered` as JSON.

    Raises LimitExceeded if the HTML exceeds MAX_HTML_BYTES before or after sanitizing.
    """
    warnings = Warnings()
    plain = _to_plain_html(markdown.decode(), warnings)
    outline = Outline(plain)
    rendered: Rendered = {
        'html': _with_highlighted_code(plain),
        'excerpt': outline.excerpt,
        'toc': outline.toc,
        'words': outline.words,
        'warnings': warnings.in_order(),
    }
    return json.dumps(rendered, ensure_ascii=False).encode()


def to_html(text: str) -> str:
    """Raises LimitExceeded."""
    return _with_highlighted_code(_to_plain_html(text, Warnings()))


def _to_plain_html(text: str, warnings: Warnings) -> str:
    text = _without_front_matter(text.removeprefix('\ufeff').replace('\r\n', '\n'))
    html: str = _parser.render(text, {'warnings': warnings})
    _check_size(html)
    try:
        cleaned = sanitize(html.strip('\n'))
    except UnstableHtml as error:
        raise LimitExceeded from error
    return _check_size(cleaned)


def _with_highlighted_code(html: str) -> str:
    highlighted = highlight_code(html)
    # Highlighting dense code, such as JSON, makes it ten times longer.
    return highlighted if len(highlighted.encode()) <= MAX_HTML_BYTES else html


def _without_front_matter(text: str) -> str:
    match = _FRONT_MATTER.match(text)
    # The newlines preserve the line numbers.
    return '\n' * match[0].count('\n') + text[match.end():] if match else text


def _check_size(html: str) -> str:
    if len(html.encode()) > MAX_HTML_BYTES:
        raise LimitExceeded
    return html


# Import and compile what the first text would otherwise pay for.
render(b'```c\n-\n```\n\nhttps://example.com')
