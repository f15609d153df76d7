"""From Markdown, which anyone may have written, to HTML that a page can take as it is.

It reads no file, keeps nothing between two texts, and is not bounded in time: run it in a
`BoundedWorker`.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from urllib.parse import quote, unquote

from markdown import Markdown, util
from markdown.extensions.attr_list import AttrListTreeprocessor
from markdown.preprocessors import Preprocessor
from markdown.util import HTML_PLACEHOLDER_RE
from pygments import plugin
from pymdownx.slugs import slugify

from talelio_backend.app_project.business.rendered import Rendered
from talelio_backend.app_project.data.html_outline import Outline
from talelio_backend.app_project.data.safe_html import ID_PREFIX, Unsettled, sanitize
from talelio_backend.shared.data.bounded_worker_child import LimitExceeded

# Far over any sensible text. A table of 6 kB can ask for 10 MB, since each of its rows is filled up
# to the width of the first.
MAX_HTML_BYTES = 2 * 1024 * 1024

_FENCE = re.compile(r'(?P<quote>(?:[ ]*>)*)(?P<indent>[ ]*)' + HTML_PLACEHOLDER_RE.pattern)
_slug = slugify(case='lower')

# An unknown language would be looked up in whatever else is installed: Alembic brings Mako, which takes 8 MB.
plugin.iter_entry_points = lambda group_name: ()  # type: ignore[assignment, return-value]
# Extensions are named by their modules. To look for names that packages have made known takes another 4 MB.
util.get_installed_extensions = lambda: ()  # type: ignore[assignment, return-value]


def render(markdown: bytes) -> bytes:
    """Return a `Rendered` as JSON, for UTF-8 text.

    Raises LimitExceeded when the HTML has more than MAX_HTML_BYTES, as written or as cleaned.
    """
    html = to_html(markdown.decode())
    outline = Outline(html)
    rendered: Rendered = {
        'html': html,
        'excerpt': outline.excerpt,
        'toc': outline.toc,
        'words': outline.words,
    }
    return json.dumps(rendered, ensure_ascii=False).encode()


def to_html(text: str) -> str:
    """Return the safe HTML of the text. Raises LimitExceeded."""
    html = _parser(colours=True).convert(text)
    if len(html.encode()) > MAX_HTML_BYTES:
        # Each word of dense code, such as JSON, takes a tag for its colour, ten times its length.
        html = _parser(colours=False).convert(text)
    _check_size(html)
    try:
        cleaned = sanitize(html)
    except Unsettled as error:
        raise LimitExceeded from error
    return _check_size(cleaned)


def _check_size(html: str) -> str:
    if len(html.encode()) > MAX_HTML_BYTES:
        raise LimitExceeded
    return html


def _parser(*, colours: bool) -> Markdown:
    # A fresh instance a text, so that footnotes and references of one cannot reach the next. It
    # costs half a millisecond.
    parser = Markdown(
        extensions=[
            'markdown.extensions.attr_list',
            'markdown.extensions.footnotes',
            'markdown.extensions.sane_lists',
            'markdown.extensions.tables',
            'markdown.extensions.toc',
            'pymdownx.highlight',
            'pymdownx.superfences',
            'pymdownx.tasklist',
            'pymdownx.tilde',
        ],
        extension_configs={
            'markdown.extensions.tables': {
                'use_align_attribute': True
            },
            'markdown.extensions.toc': {
                'slugify': _heading_id,
                # Only the ids are wanted, neither a table in place of `[TOC]` nor the work for one.
                'marker': '',
                'toc_depth': 0
            },
            'pymdownx.tilde': {
                'subscript': False
            },
            'pymdownx.highlight': {
                'guess_lang': False,
                'linenums': False,
                'use_pygments': colours,
                'pygments_lang_class': True
            }
        }
    )
    # After the fences (25) are read, and before raw HTML (20) is.
    parser.preprocessors.register(_FencesApart(parser), 'fences-apart', 22)
    parser.treeprocessors.register(_PlainAttributes(parser), 'attr_list', 8)
    return parser


def _heading_id(text: str, separator: str) -> str:
    # Every heading gets the prefix here, so that `Title` and `User content title` stay apart. One
    # of nothing but emoji has no letter to name it by.
    return ID_PREFIX + (_slug(text, separator).strip(separator) or 'section')


class _PlainAttributes(AttrListTreeprocessor):
    """Takes `{#id}`, `{.class}` and `{key=value}` for attributes, and leaves `{word}` in the text.

    Python-Markdown makes an attribute of it too, and the heading `Remove {id}` would lose its end.
    """

    # The stubs call them final; the code reads them from the instance.
    BASE_RE = r'\{:?[ ]*((?=[#.][\w-]|[\w-]+=)[^\n]*)\}'  # type: ignore[misc]
    HEADER_RE = re.compile(rf'[ ]+{BASE_RE}[ ]*$')  # type: ignore[misc]
    BLOCK_RE = re.compile(rf'\n[ ]*{BASE_RE}[ ]*$')  # type: ignore[misc]
    INLINE_RE = re.compile(rf'^{BASE_RE}')  # type: ignore[misc]


class _FencesApart(Preprocessor):
    """Puts a blank line before and after a fenced block, as CommonMark reads it.

    Without them, Python-Markdown makes the block a part of the paragraph or table around it, and
    the list item on the next line its text.
    """

    def run(self, lines: list[str]) -> list[str]:
        spaced: list[str] = []
        blank_after = None
        for line in lines:
            fence = _FENCE.fullmatch(line)
            # One to three spaces: it is part of a list item's text, and would drop out of the list.
            if fence and 0 < len(fence['indent']) - bool(fence['quote']) < 4:
                fence = None
            blank = fence['quote'] if fence else blank_after
            if blank is not None and spaced and _is_text(spaced[-1]) and _is_text(line):
                spaced.append(blank)
            blank_after = fence['quote'] if fence else None
            spaced.append(line)
        return spaced


def _is_text(line: str) -> bool:
    return line.strip(' >') != ''


@contextmanager
def _without_http() -> Iterator[None]:
    """Let an extension have the two functions for files' addresses that it imports from `urllib.request`.

    That brings HTTP, TLS and e-mail, 2 MB, and nobody calls the two.
    """
    if 'urllib.request' in sys.modules:
        yield
        return
    stand_in = ModuleType('urllib.request')
    vars(stand_in).update(pathname2url=quote, url2pathname=unquote)
    sys.modules['urllib.request'] = stand_in
    try:
        yield
    finally:
        del sys.modules['urllib.request']


# What a first text imports, and compiles, is kept for the next. Let it be one that nobody waits for, and
# whose time counts for no one.
with _without_http():
    render(b'```-\n-\n```')
