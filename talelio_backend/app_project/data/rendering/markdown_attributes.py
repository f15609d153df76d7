"""Attribute lists: `{#id .class key=value}` after an element."""
import re

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# The first item must be an id, a class or an assignment: `{word}` is text.
_LIST = r'''\{:?[ ]*(?=[#.][\w-]|[\w-]+=)((?:"[^"\n]*"|'[^'\n]*'|[^{}"'\n])*)\}'''
_AT_START = re.compile(_LIST)
_AT_END = re.compile(rf'[ ]+{_LIST}[ ]*$')
_WHOLE_LINE = re.compile(rf'[ ]*{_LIST}[ ]*')
_ATTRIBUTE = re.compile(r'''#(\S+)|\.(\S+)|([\w:-]+)=(?:"([^"]*)"|'([^']*)'|(\S+))''')

_WITH_LIST_AT_END = frozenset({'heading_open', 'th_open', 'td_open', 'dt_open'})
_INLINE_ELEMENTS = frozenset({'image', 'code_inline', 'link_close', 'em_close', 'strong_close', 's_close'})


def apply_attribute_lists(state: StateCore) -> None:
    """Core rule: move attribute lists into the elements before them."""
    for index, token in enumerate(state.tokens):
        if token.type != 'inline' or not token.children or '{' not in token.content:
            continue
        _apply_inline(token.children)
        element = state.tokens[index - 1]
        if element.type in _WITH_LIST_AT_END:
            _apply_at_end(token.children, element)
        elif element.type == 'paragraph_open':
            # In a tight list, the list applies to the item, whose paragraph is hidden.
            _apply_last_line(token.children, state.tokens[index - 2] if element.hidden else element)


def set_attributes(token: Token, given: str) -> None:
    for identifier, class_, name, *values in _ATTRIBUTE.findall(given):
        if class_:
            token.attrJoin('class', class_)
        else:
            token.attrSet('id' if identifier else name, identifier or ''.join(values))


def _apply_inline(children: list[Token]) -> None:
    opened: list[Token] = []
    for before, token in zip(children, children[1:]):
        if before.nesting == 1:
            opened.append(before)
        element = opened.pop() if before.nesting == -1 and opened else before
        if token.type == 'text' and before.type in _INLINE_ELEMENTS:
            match = _AT_START.match(token.content)
            if match:
                set_attributes(element, match[1])
                token.content = token.content[match.end():]


def _apply_at_end(children: list[Token], element: Token) -> None:
    match = children[-1].type == 'text' and _AT_END.search(children[-1].content)
    if match:
        set_attributes(element, match[1])
        children[-1].content = children[-1].content[:match.start()]


def _apply_last_line(children: list[Token], element: Token) -> None:
    if len(children) < 2 or children[-2].type != 'softbreak' or children[-1].type != 'text':
        return
    match = _WHOLE_LINE.fullmatch(children[-1].content)
    if match:
        set_attributes(element, match[1])
        del children[-2:]
