"""Emphasis in text without spaces.

CommonMark takes `**` between `：` and `请` for the beginning of emphasis, never for its end, because it expects
a space there. Chinese, Japanese and Korean have none. https://github.com/tats-u/markdown-cjk-friendly
"""
from typing import Any
from unicodedata import category, east_asian_width

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token


class CjkInline(ParserInline):
    """Everything but the state is the base class's."""

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _CjkState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(''):
            rule(state)
        return state.tokens


class _CjkState(StateInline):

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        before = self.src[start - 1] if start else ' '
        after = self.src[end] if end < self.posMax else ' '
        if canSplitWord and (_is_cjk(before) or _is_cjk(after)):
            return scanned._replace(can_open=not after.isspace(), can_close=not before.isspace())
        return scanned


def _is_cjk(character: str) -> bool:
    # Emoji are wide too.
    return east_asian_width(character) in 'WFH' and category(character) != 'So'
