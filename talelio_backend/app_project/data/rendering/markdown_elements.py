"""Render rules that replace those of the parser and its plugins."""
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from talelio_backend.app_project.data.rendering.code_html import FenceInfo, code_html


def add_elements(parser: MarkdownIt) -> None:
    for write in (
        fence,
        code_block,
        math_inline,
        math_inline_double,
        math_block,
        task_checkbox,
        footnote_ref,
        footnote_anchor,
        footnote_open,
    ):
        parser.add_render_rule(write.__name__, _rule(write))
    for name, html in {
        's_open': '<del>',
        's_close': '</del>',
        'footnote_block_open': '<div class="footnote">\n<hr>\n<ol>\n',
        'footnote_block_close': '</ol>\n</div>\n',
    }.items():
        parser.add_render_rule(name, lambda *_, html=html: html)


def _rule(write: Callable[[Token], str]) -> Callable[..., str]:

    def rule(_: object, tokens: Sequence[Token], index: int, *_options: object) -> str:
        # The text of an item in a tight list does not end with a newline.
        line_end = '\n' if tokens[index].block and index and tokens[index - 1].hidden else ''
        return line_end + write(tokens[index])

    return rule


def shape_elements(state: StateCore) -> None:
    """Core rule: align cells by attributes, since the sanitizer removes styles; put the checkbox of a task
    into its text; and hide the backlinks of footnotes without references.
    """
    for index, token in enumerate(state.tokens):
        if token.type in ('th_open', 'td_open') and 'style' in token.attrs:
            token.attrSet('align', str(token.attrs.pop('style')).removeprefix('text-align:'))
        elif token.attrs.get('class') == 'contains-task-list':
            token.attrSet('class', 'task-list')
        elif token.type == 'list_item_open' and 'checked' in token.meta:
            text = state.tokens[index + 2:index + 3]
            if text and text[0].children is not None:
                box = Token('task_checkbox', 'input', 0, meta={'checked': token.meta.pop('checked')})
                text[0].children.insert(0, box)
        elif token.type == 'footnote_anchor':
            token.hidden = not state.env['footnotes']['list'][token.meta['id']]['count']


def keep_unused_footnotes(state: StateCore) -> None:
    """Core rule: append the footnotes without references."""
    notes = state.env.get('footnotes', {'refs': {}})
    for name, number in notes['refs'].items():
        if number < 0:
            notes['refs'][name] = len(notes['list'])
            notes['list'][len(notes['list'])] = {'label': name[1:], 'count': 0}


def fence(token: Token) -> str:
    return code_html(token.content, FenceInfo.read(unescapeAll(token.info)))


def code_block(token: Token) -> str:
    return code_html(token.content, FenceInfo.read(''))


def math_inline(token: Token) -> str:
    return f'<span class="math inline">{_formula(token)}</span>'


def math_inline_double(token: Token) -> str:
    return f'<span class="math display">{_formula(token)}</span>'


def math_block(token: Token) -> str:
    return f'<div class="math display">{_formula(token)}</div>\n'


def _formula(token: Token) -> str:
    """Keep the dollars. KaTeX looks for them, and `$HOME:$PATH` is not a formula."""
    return escape(f'{token.markup}{token.content}{token.markup}')


def task_checkbox(token: Token) -> str:
    return f'<input type="checkbox"{" checked" if token.meta["checked"] else ""}> '


def footnote_ref(token: Token) -> str:
    meta = token.meta
    link = f'<a class="footnote-ref" href="#{_note(meta)}">{meta["id"] + 1}</a>'
    return f'<sup id="{_mark(meta)}">{link}</sup>'


def footnote_anchor(token: Token) -> str:
    return '' if token.hidden else f' <a class="footnote-backref" href="#{_mark(token.meta)}">↩</a>'


def footnote_open(token: Token) -> str:
    return f'<li id="{_note(token.meta)}">'


def _note(meta: dict[str, Any]) -> str:
    return f'fn:{escape(meta["label"])}'


def _mark(meta: dict[str, Any]) -> str:
    """Return `fnref:…` for the first reference to a note, and `fnref2:…` for the second."""
    number = meta['subId'] + 1
    return f'fnref{number if number > 1 else ""}:{escape(meta["label"])}'
