"""`:tada:` as it is known from GitHub."""
import re

from markdown_it.rules_core import StateCore

_SHORTCODE = re.compile(r'(?<![\w:]):[a-z0-9_+-]{1,50}:(?![\w:])')


def replace_shortcodes(state: StateCore) -> None:
    """A rule of the parser: put emoji in place of their names, but not in code and addresses."""
    for token in state.tokens:
        is_address = False
        for child in token.children or ():
            if child.info == 'auto':
                is_address = child.nesting == 1
            elif child.type == 'text' and not is_address and _SHORTCODE.search(child.content):
                child.content = _SHORTCODE.sub(_emoji, child.content)


def _emoji(shortcode: re.Match[str]) -> str:
    # It takes 8 MB, which texts without a shortcode need not pay for.
    # pylint: disable-next=import-outside-toplevel
    from emoji import emojize
    return emojize(shortcode[0], language='alias')
