from collections.abc import Callable

import pytest

from tests.faults.cases import RUNS_ALL, Case


def case_of(item: pytest.Item) -> Case | None:
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item,
                                                                                       'callspec') else {}
    case = parameters.get('case')
    return case if isinstance(case, Case) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless all was asked for. Tests of other folders have no case."""
    if RUNS_ALL:
        return
    left_out = [item for item in items if (case := case_of(item)) is not None and not case.quick]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """So that the process that makes the table knows, whichever one ran the test."""
    case = case_of(request.node)
    if case is not None:
        record_property('part', case.part)
        record_property('fault', case.fault)
        record_property('holds', case.holds)
