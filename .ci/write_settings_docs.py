"""Write .env.example and the tables of .github/docs/configuration.md from the settings' docstrings.

Usage: write_settings_docs.py
"""
import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from pydantic.fields import FieldInfo

from talelio_backend.settings.images import ImageSettings
from talelio_backend.settings.server import ServerSettings
from talelio_backend.settings.settings import DEVELOPMENT, Settings

ENV_EXAMPLE = Path('.env.example')
PAGE = Path('.github/docs/configuration.md')

GROUPS = {'General': Settings, 'Server': ServerSettings, 'Images': ImageSettings}

HEAD = '''\
# Copy to .env and change what you need: development requires none of these lines. Variables of the environment win over
# this file.
'''


def documented(group: type) -> Iterator[tuple[FieldInfo, str]]:
    """The fields that a class adds to those of its bases, each with its docstring."""
    fields = dict(Settings.model_fields)
    body = ast.parse(inspect.getsource(group)).body[0].body  # type: ignore[attr-defined]
    for field, docs in zip(body, body[1:]):
        if isinstance(field, ast.AnnAssign):
            yield fields[ast.unparse(field.target)], ' '.join(docs.value.value.split())


def default(field: FieldInfo) -> str:
    value = DEVELOPMENT.get(str(field.alias)) if field.is_required() else field.get_default()
    value = DEVELOPMENT.get(str(field.alias), value)
    return '' if value in (None, (), frozenset()) else str(value)


def example(field: FieldInfo, docs: str) -> str:
    comment = '\n'.join(
        wrap(docs.replace('`', ''), 118, break_on_hyphens=False, initial_indent='# ', subsequent_indent='# ')
    )
    line = f'#{field.alias}={(field.examples or [""])[0]}' if field.examples or not default(field) else \
        f'{field.alias}={default(field)}'
    return f'{comment}\n{line}\n'


def row(field: FieldInfo, docs: str) -> str:
    value = f'`{default(field)}`' if default(field) else ''
    required = ' Required in production.' if field.is_required() and field.alias != 'ENV' else ''
    return f'| `{field.alias}` | {value} | {docs}{required} |\n'


def main() -> None:
    settings = {title: list(documented(group)) for title, group in GROUPS.items()}
    examples = [HEAD, *(example(*setting) for group in settings.values() for setting in group)]
    ENV_EXAMPLE.write_text('\n'.join(examples), encoding='utf-8')
    tables = '\n'.join(
        f'### {title}\n\n| variable | default in development | |\n|---|---|---|\n' +
        ''.join(row(*setting) for setting in group) for title, group in settings.items()
    )
    page = PAGE.read_text(encoding='utf-8')
    begin, end = '<!-- made by make settings-docs -->\n', '<!-- end -->\n'
    page = re.sub(f'(?s){begin}.*{end}', lambda _: f'{begin}\n{tables}\n{end}', page)
    PAGE.write_text(page, encoding='utf-8')


if __name__ == '__main__':
    main()
