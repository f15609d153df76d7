"""Warnings for the author about the HTML that the sanitizer will remove."""
import re
from collections.abc import MutableMapping
from typing import Any

from markdown_it.rules_core import StateCore

from talelio_backend.app_project.business.domain.rendered import RenderWarning, WarningReason
from talelio_backend.app_project.data.rendering.html_elements import ATTRIBUTES, DROPPED, DROPPED_WITH_CONTENT
from talelio_backend.app_project.data.rendering.sanitizer import keeps

MAX_WARNINGS = 50
# The length of a quotation.
_QUOTED = 80
# Their loss does not matter, or they are set anyway.
_IGNORED = frozenset({'rel', 'target', 'loading', 'decoding', 'preload', 'align', 'border'})

# Of a raw tag: the name, and the value in one of three groups.
ATTRIBUTE = re.compile(r'''\s+([\w:.-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?''', re.ASCII)


class Warnings:

    def __init__(self) -> None:
        self.found: list[RenderWarning] = []

    @classmethod
    def of(cls, env: MutableMapping[str, Any]) -> 'Warnings':
        """Return the warnings of the text that is being parsed."""
        warnings: Warnings = env.setdefault('warnings', cls())
        return warnings

    def add(self, reason: WarningReason, line: int, text: str) -> None:
        if len(self.found) < MAX_WARNINGS:
            short = text if len(text) <= _QUOTED else text[:_QUOTED - 1] + '…'
            self.found.append({'reason': reason, 'line': line, 'text': short})

    def in_order(self) -> list[RenderWarning]:
        return sorted(self.found, key=lambda warning: warning['line'])

    def add_tag(self, line: int, tag: str, name: str, attributes: str) -> None:
        if name in DROPPED_WITH_CONTENT:
            self.add('element_with_content', line, tag)
        elif name in DROPPED or name == 'input':
            self.add('element', line, tag)
        else:
            for attribute, *values in ATTRIBUTE.findall(attributes):
                self.add_attribute(line, name, attribute.lower(), ''.join(values))

    def add_attribute(self, line: int, name: str, attribute: str, value: str) -> None:
        if attribute in _IGNORED or keeps(name, attribute, value):
            return
        if attribute == 'class':
            value = ' '.join(each for each in value.split() if not keeps(name, 'class', each))
        reason: WarningReason = 'attribute'
        if attribute in ('href', 'src', 'poster') and attribute in ATTRIBUTES.get(name, ()):
            reason = 'address'
        self.add(reason, line, f'{attribute}="{value}"' if value else attribute)


def warn_of_dropped_attributes(state: StateCore) -> None:
    """Core rule: warn of attributes in Markdown, too deep nesting and invalid footnote names."""
    warnings = Warnings.of(state.env)
    line = 0
    for token in state.tokens:
        line = token.map[0] + 1 if token.map else line
        for each in (token, *(token.children or ())):
            for attribute, value in each.attrs.items():
                warnings.add_attribute(line, each.tag, attribute, str(value))
            line += each.type in ('softbreak', 'hardbreak')
    deepest = max(state.tokens, key=lambda token: token.level, default=None)
    if deepest and deepest.level >= state.md.options['maxNesting'] - 1:
        warnings.add('nesting', deepest.map[0] + 1 if deepest.map else 0, '')
    for label, reference in state.env.get('references', {}).items():
        if label.startswith('^'):
            # The space in its name makes it a link reference.
            warnings.add('footnote_name', reference['map'][0] + 1, f'[{label}]')
