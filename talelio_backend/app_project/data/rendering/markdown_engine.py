"""CommonMark, what GitHub adds to it, and a few things more: see .github/docs/markdown.md."""
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from talelio_backend.app_project.data.rendering.dropped_html import tell_dropped_attributes
from talelio_backend.app_project.data.rendering.emoji_shortcodes import replace_shortcodes
from talelio_backend.app_project.data.rendering.markdown_addresses import link_addresses
from talelio_backend.app_project.data.rendering.markdown_attributes import take_attribute_lists
from talelio_backend.app_project.data.rendering.markdown_elements import (
    add_elements,
    keep_unused_footnotes,
    shape_elements,
)
from talelio_backend.app_project.data.rendering.markdown_headings import name_headings
from talelio_backend.app_project.data.rendering.raw_html import html_block_with_end, keep_unknown_tags

# A list in a list takes two levels. The preset's 20 would drop what is deeper without a word.
_MOST_LEVELS = 100
# One after the other.
_MOST_BRACKETS = 50


class _Parser(MarkdownIt):

    def normalizeLink(self, url: str) -> str:
        """Leave addresses as they are written: pictures are found by theirs."""
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


def make_parser() -> MarkdownIt:
    """Return a parser, which keeps nothing between two texts."""
    options = {'maxNesting': _MOST_LEVELS, 'xhtmlOut': False, 'tasklists': True, 'alerts': True}
    parser = _Parser('commonmark', options)
    parser.enable(['table', 'strikethrough'])
    link_addresses(parser)
    parser.use(footnote_plugin, inline=False)
    parser.use(deflist_plugin)
    parser.use(
        dollarmath_plugin, allow_space=False, allow_digits=False, allow_labels=False, double_inline=True
    )
    parser.block.ruler.at(
        'html_block', html_block_with_end, {'alt': ['paragraph', 'reference', 'blockquote']}
    )
    parser.inline.ruler.before('link', 'lone_brackets', _lone_brackets)
    parser.core.ruler.before('footnote_tail', 'unused_footnotes', keep_unused_footnotes)
    rules: list[Callable[[StateCore], None]] = [
        take_attribute_lists, name_headings, replace_shortcodes, shape_elements, tell_dropped_attributes,
        keep_unknown_tags
    ]
    for rule in rules:
        parser.core.ruler.push(rule.__name__, rule)
    add_elements(parser)
    return parser


def _lone_brackets(state: StateInline, silent: bool) -> bool:
    """Take brackets for text that cannot begin a link, before each of a thousand is followed to the end."""
    if state.src[state.pos] not in '[!':
        return False
    for mark in ('[', '!['):
        if state.src.startswith(mark, state.pos) and (
            state.html_terminator_last(']') < state.pos
            or state.src.startswith(mark * _MOST_BRACKETS, state.pos)
        ):
            if not silent:
                state.append_pending(mark)
            state.pos += len(mark)
            return True
    return False
