"""The documentation agrees with what it describes."""
import re
from pathlib import Path

import pytest

from tests.support.documented_api import document

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
PAGES = [
    PROJECT_FOLDER / 'README.md',
    PROJECT_FOLDER / 'CONTRIBUTING.md',
    PROJECT_FOLDER / 'SECURITY.md',
    *sorted((PROJECT_FOLDER / '.github').rglob('*.md')),
]
METHODS = {'get', 'put', 'post', 'patch', 'delete'}


def test_the_table_of_calls_lists_every_operation() -> None:
    page = (PROJECT_FOLDER / '.github/docs/api.md').read_text(encoding='utf-8')
    listed = [
        # The two documents need not share the names of a path's parameters.
        f'{method} {re.sub("<[^>]+>", "<>", path)}'
        for method, path in re.findall(r'^\| `(\w+) ([^`?]+)`', page, re.MULTILINE)
    ]
    described = [
        f'{method.upper()} {re.sub("{[^}]+}", "<>", path)}'
        for path, operations in document()['paths'].items() for method in operations.keys() & METHODS
    ]

    assert sorted(listed) == sorted(set(described) - NOT_LISTED)


# Parts of the documentation's page and image files: clients find them by links.
NOT_LISTED = {'GET /v1/docs/<>', 'GET /v1/assets/files/<>'}


def test_the_readme_is_short() -> None:
    assert len((PROJECT_FOLDER / 'README.md').read_text(encoding='utf-8').splitlines()) <= 150


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(PROJECT_FOLDER)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = re.sub(r'(?ms)^```.*?^```$', '', page.read_text(encoding='utf-8'))
    text = re.sub(r'(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)', '', text)
    missing = []
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if '://' in target or target.startswith('mailto:'):
            continue
        path, _, anchor = target.partition('#')
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            missing.append(target)

    assert not missing


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(PROJECT_FOLDER)))
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    rooms = r'`((?:app_\w+|shared|bootstrap|server|observability|settings)/[\w/]+\.py)`'
    named = set(re.findall(rooms, page.read_text(encoding='utf-8')))

    # CONTRIBUTING.md's example is a feature that does not exist.
    missing = {module for module in named if not (PROJECT_FOLDER / 'talelio_backend' / module).is_file()}
    assert missing <= {'bootstrap/notes.py'}


def _anchors(page: Path) -> set[str]:
    """The ids that GitHub gives the headings of a page."""
    headings = re.findall(r'^#+ (.+)$', page.read_text(encoding='utf-8'), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


def test_make_help_has_a_group_for_each_command_and_begins_with_ten() -> None:
    makefile = (PROJECT_FOLDER / 'Makefile').read_text(encoding='utf-8')
    groups = re.findall(r'^[a-z0-9-]+:.*## (?:\[(\w+)\] )?', makefile, re.MULTILINE)

    assert set(groups) == {'first', 'run', 'check', 'test', 'measure', 'release'}
    assert groups.count('first') == 10
