"""CommonMark with GitHub's extensions and others, see .github/docs/markdown.md."""
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from talelio_backend.app_project.data.rendering.cjk_emphasis import CjkInline
from talelio_backend.app_project.data.rendering.dropped_html import warn_of_dropped_attributes
from talelio_backend.app_project.data.rendering.embedded_frames import mark_frames
from talelio_backend.app_project.data.rendering.emoji_shortcodes import replace_shortcodes
from talelio_backend.app_project.data.rendering.markdown_addresses import link_bare_urls
from talelio_backend.app_project.data.rendering.markdown_attributes import apply_attribute_lists
from talelio_backend.app_project.data.rendering.markdown_elements import (
    add_elements,
    keep_unused_footnotes,
    shape_elements,
)
from talelio_backend.app_project.data.rendering.markdown_headings import add_heading_ids
from talelio_backend.app_project.data.rendering.raw_html import escape_unknown_tags, html_block_with_end
from talelio_backend.app_project.data.rendering.titled_alerts import title_alerts

# A nested list takes two levels. The preset's limit of 20 silently drops deeper content.
_MAX_NESTING = 100
# In a row.
_MAX_BRACKETS = 50


class _Parser(MarkdownIt):

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self.inline = CjkInline()
        self.configure('commonmark', options)

    def normalizeLink(self, url: str) -> str:
        """Keep URLs as written, since uploaded images are found by them."""
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


def make_parser() -> MarkdownIt:
    """Return a parser that keeps no state between texts."""
    options = {'maxNesting': _MAX_NESTING, 'xhtmlOut': False, 'tasklists': True, 'alerts': True}
    parser = _Parser(options)
    parser.enable(['table', 'strikethrough'])
    link_bare_urls(parser)
    parser.use(footnote_plugin, inline=False)
    parser.use(deflist_plugin)
    parser.use(
        dollarmath_plugin, allow_space=False, allow_digits=False, allow_labels=False, double_inline=True
    )
    parser.block.ruler.at(
        'html_block', html_block_with_end, {'alt': ['paragraph', 'reference', 'blockquote']}
    )
    parser.inline.ruler.before('link', 'lone_brackets', _lone_brackets)
    parser.core.ruler.before('inline', title_alerts.__name__, title_alerts)
    parser.core.ruler.before('footnote_tail', 'unused_footnotes', keep_unused_footnotes)
    rules: list[Callable[[StateCore], None]] = [
        mark_frames, apply_attribute_lists, add_heading_ids, replace_shortcodes, shape_elements,
        warn_of_dropped_attributes, escape_unknown_tags
    ]
    for rule in rules:
        parser.core.ruler.push(rule.__name__, rule)
    add_elements(parser)
    return parser


def _lone_brackets(state: StateInline, silent: bool) -> bool:
    """Treat brackets that cannot begin a link as text, which avoids quadratic time for long rows of them."""
    if state.src[state.pos] not in '[!':
        return False
    for mark in ('[', '!['):
        if state.src.startswith(mark, state.pos) and (
            state.html_terminator_last(']') < state.pos
            or state.src.startswith(mark * _MAX_BRACKETS, state.pos)
        ):
            if not silent:
                state.append_pending(mark)
            state.pos += len(mark)
            return True
    return False
