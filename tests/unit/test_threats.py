"""THREATS.md leaves nothing out, and the tests that it names are there."""
import ast
import re
from functools import cache

import pytest

from talelio_backend.settings import PROJECT_FOLDER

TEXT = (PROJECT_FOLDER / '.github' / 'THREATS.md').read_text(encoding='utf-8')
THREATS = re.findall(r'^(\d+)\. \*\*.+?(?=^\d+\. \*\*|^## )', TEXT, re.MULTILINE | re.DOTALL)
LINES = [
    match[0] for match in re.finditer(r'^\d+\. \*\*.+?(?=^\d+\. \*\*|^## )', TEXT, re.MULTILINE | re.DOTALL)
]
TESTS = sorted(set(re.findall(r'`(tests/[\w/]+\.py)::([\w:]+)`', TEXT)))
# Of level 1 in ASVS 5.0.0: how many requirements each chapter has.
REQUIREMENTS = {
    1: 8,
    2: 4,
    3: 8,
    4: 2,
    5: 4,
    6: 13,
    7: 6,
    8: 4,
    9: 4,
    10: 5,
    11: 3,
    12: 3,
    13: 1,
    14: 2,
    15: 3
}


@cache
def names_in(file: str) -> set[str]:
    """As pytest names them, without their cases."""
    tree = ast.parse((PROJECT_FOLDER / file).read_text(encoding='utf-8'))
    return set(functions_in(tree.body, ''))


def functions_in(body: list[ast.stmt], prefix: str) -> list[str]:
    names = []
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name.startswith('test_'):
            names.append(prefix + statement.name)
        elif isinstance(statement, ast.ClassDef):
            names += functions_in(statement.body, f'{prefix}{statement.name}::')
    return names


def test_the_threats_are_numbered_in_a_row() -> None:
    assert [int(number) for number in THREATS] == list(range(1, 44))


@pytest.mark.parametrize('line', LINES, ids=THREATS)
def test_a_threat_has_a_test(line: str) -> None:
    assert re.search(r'`tests/[\w/]+\.py::\w+', line)


@pytest.mark.parametrize(('file', 'name'), TESTS)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert name in names_in(file)


def test_whatever_looks_like_a_test_is_looked_for() -> None:
    assert len(set(re.findall(r'tests/[\w/]+\.py::[\w:]+', TEXT))) == len(TESTS) > 150


def test_no_requirement_is_left_out_or_said_twice() -> None:
    rows = re.findall(r'^\| (\d[\d., ]+) \|', TEXT, re.MULTILINE)
    numbers = [number for row in rows for number in row.split(', ')]

    assert len(numbers) == len(set(numbers))
    chapters = [int(number.partition('.')[0]) for number in numbers]
    assert {chapter: chapters.count(chapter) for chapter in chapters} == REQUIREMENTS


@pytest.mark.parametrize('path', sorted(set(re.findall(r'\]\(([^)#:]+)(?:#[\w-]+)?\)', TEXT))))
def test_a_file_that_is_linked_is_there(path: str) -> None:
    assert (PROJECT_FOLDER / '.github' / path).is_file()


@pytest.mark.parametrize('path', sorted(set(re.findall(r'[(`]((?:shared|app_\w+)/[\w/]+\.py)', TEXT))))
def test_a_module_that_is_named_is_there(path: str) -> None:
    assert (PROJECT_FOLDER / 'talelio_backend' / path).is_file()
