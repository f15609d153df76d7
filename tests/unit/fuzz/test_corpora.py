from pathlib import Path

import pytest

from tests.fuzz.targets import CORPUS, TARGETS

CASES = sorted(path for path in CORPUS.glob('*/*') if path.parent.name in TARGETS)


def test_each_target_has_a_corpus() -> None:
    assert {path.parent.name for path in CASES} == TARGETS.keys()


@pytest.mark.parametrize('case', CASES, ids=lambda path: f'{path.parent.name}/{path.name}')
def test_what_a_search_begins_with_or_once_found_holds(case: Path) -> None:
    TARGETS[case.parent.name](case.read_bytes())
