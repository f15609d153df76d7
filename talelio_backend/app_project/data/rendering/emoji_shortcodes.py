"""GitHub's emoji shortcodes, such as `:tada:`."""
import re

from markdown_it.rules_core import StateCore

_SHORTCODE = re.compile(r'(?<![\w:]):[a-z0-9_+-]{1,50}:(?![\w:])')


def replace_shortcodes(state: StateCore) -> None:
    """Core rule: replace shortcodes by emoji, except in code and URLs."""
    for token in state.tokens:
        is_url = False
        for child in token.children or ():
            if child.info == 'auto':
                is_url = child.nesting == 1
            elif child.type == 'text' and not is_url and _SHORTCODE.search(child.content):
                child.content = _SHORTCODE.sub(_emoji, child.content)


def _emoji(shortcode: re.Match[str]) -> str:
    # The module takes 8 MB, which most texts do not need.
    # pylint: disable-next=import-outside-toplevel
    from emoji import emojize
    return emojize(shortcode[0], language='alias')
