"""`> [!TIP] A title`, as Obsidian writes it. The parser itself knows only alerts without a title."""
import re

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_MARK = re.compile(r'\[!(note|tip|important|warning|caution)\][+-]?[ \t]+(.+)(?:\n|\Z)', re.IGNORECASE)


def title_alerts(state: StateCore) -> None:
    """Core rule, before inline content is parsed."""
    tokens: list[Token] = []
    alert_levels: list[int] = []
    for token in state.tokens:
        starts_quote = token.type == 'inline' and [each.type for each in tokens[-2:-1]] == ['blockquote_open']
        if starts_quote and (mark := _MARK.match(token.content)):
            quote, paragraph = tokens[-2], tokens[-1]
            alert_levels.append(quote.level)
            quote.tag = 'div'
            quote.attrSet('class', f'markdown-alert markdown-alert-{mark[1].lower()}')
            paragraph.attrSet('class', 'markdown-alert-title')
            body = token.content[mark.end():]
            token.content = mark[2]
            if body:
                # A block ends its line.
                tokens += [
                    token,
                    Token('paragraph_close', 'p', -1, block=True),
                    Token('paragraph_open', 'p', 1, block=True)
                ]
                token = token.copy(content=body, children=[])
        elif token.type == 'blockquote_close' and alert_levels[-1:] == [token.level]:
            alert_levels.pop()
            token.tag = 'div'
        tokens.append(token)
    state.tokens = tokens
