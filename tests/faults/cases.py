"""A fault as data: what the table in RELIABILITY.md has a place for, and what a test is made of."""
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

# `make test` takes the quick ones along; `make test-faults` runs all.
RUNS_ALL = os.environ.get('FAULTS') == 'all'


@dataclass(frozen=True, kw_only=True)
class Case:
    # What breaks, and how.
    part: str
    fault: str
    # What is under way then, and what must hold in spite of it.
    meanwhile: str
    holds: str
    quick: bool = False

    @property
    def name(self) -> str:
        return f'{self.part}: {self.fault}: {self.meanwhile}'


def for_each(cases: Iterable[Case]) -> Callable[[Any], Any]:
    """Parametrizes a test, which asks for its `case`."""
    return pytest.mark.parametrize('case', [pytest.param(case, id=case.name) for case in cases])
