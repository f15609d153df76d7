"""Renders untrusted Markdown as safe HTML.

It opens no files, keeps no state between texts, and has no limit of time: run it in a `SandboxedWorker`.
"""
import json
import re

from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.data.rendering.code_html import highlight_code
from talelio_backend.app_project.data.rendering.dropped_html import Warnings
from talelio_backend.app_project.data.rendering.embedded_frames import Frames
from talelio_backend.app_project.data.rendering.html_outline import Outline
from talelio_backend.app_project.data.rendering.markdown_engine import make_parser
from talelio_backend.app_project.data.rendering.sanitizer import UnstableHtml, sanitize
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts
from talelio_backend.shared.workers.sandboxed_worker_child import LimitExceeded

# A table of 6 kB can grow to 10 MB, since each row is padded to the width of the first.
MAX_HTML_BYTES = 2 * 1024 * 1024

# YAML between `---`, or TOML between `+++`, at the beginning. After a horizontal rule there is no key.
_FRONT_MATTER = re.compile(
    r'(?:---[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w"\'][^\n:]*:(?:[ \t\n]).*?^(?:---|\.\.\.)[ \t]*$'
    r'|\+\+\+[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w"\'\[].*?^\+\+\+[ \t]*$)', re.MULTILINE | re.DOTALL
)
# Of the front matter. Those of nested objects are indented.
_FIELD = re.compile(r"""^["']?([\w-]+)["']?[ \t]*[:=]""", re.MULTILINE)

_parser = make_parser()


def render(request: bytes) -> bytes:
    """Return a `Rendered` as JSON. The request is a line with `TrustedHosts`, and the Markdown.

    Raises LimitExceeded if the HTML exceeds MAX_HTML_BYTES before or after sanitizing.
    """
    hosts, _, markdown = request.partition(b'\n')
    rendered = to_rendered(markdown.decode(), TrustedHosts.read(hosts))
    return json.dumps(rendered, ensure_ascii=False).encode()


def to_rendered(markdown: str, hosts: TrustedHosts = TrustedHosts()) -> Rendered:
    """Raises LimitExceeded."""
    warnings = Warnings()
    plain = _to_plain_html(markdown, warnings, hosts)
    outline = Outline(plain)
    return {
        'html': _with_highlighted_code(plain),
        'excerpt': outline.excerpt,
        'toc': outline.toc,
        'words': outline.words,
        'warnings': warnings.in_order(),
    }


def to_html(text: str, hosts: TrustedHosts = TrustedHosts()) -> str:
    """Raises LimitExceeded."""
    return to_rendered(text, hosts)['html']


def _to_plain_html(text: str, warnings: Warnings, hosts: TrustedHosts) -> str:
    text = _without_front_matter(text.removeprefix('\ufeff').replace('\r\n', '\n'), warnings)
    frames = Frames(text, hosts, warnings)
    html: str = _parser.render(text, {'warnings': warnings, **({'frames': frames} if hosts.embedded else {})})
    _check_size(html)
    try:
        cleaned = frames.insert_into(sanitize(html.strip('\n'), hosts))
    except UnstableHtml as error:
        raise LimitExceeded from error
    return _check_size(cleaned)


def _with_highlighted_code(html: str) -> str:
    highlighted = highlight_code(html)
    # Highlighting dense code, such as JSON, makes it ten times longer.
    return highlighted if len(highlighted.encode()) <= MAX_HTML_BYTES else html


def _without_front_matter(text: str, warnings: Warnings) -> str:
    match = _FRONT_MATTER.match(text)
    if match:
        warnings.add('front_matter', 1, ', '.join(dict.fromkeys(_FIELD.findall(match[0]))))
    # The newlines preserve the line numbers.
    return '\n' * match[0].count('\n') + text[match.end():] if match else text


def _check_size(html: str) -> str:
    if len(html.encode()) > MAX_HTML_BYTES:
        raise LimitExceeded
    return html


# Import and compile what the first text would otherwise pay for.
to_rendered('```c\n-\n```\n\nhttps://example.com')
