"""The ledger itself: it sees what is lost, and what nobody asked for."""
import pytest

from tests.faults.durability.ledger import Ledger, State


def ledger_of(*steps: tuple[str, State]) -> Ledger:
    ledger = Ledger()
    thing = ledger.thing('project', 'a chair')
    for outcome, state in steps:
        if outcome == 'acknowledged':
            thing.acknowledged(state)
        else:
            thing.unknown(state)
    return ledger


MADE = ('acknowledged', 'First')
CHANGED = ('acknowledged', 'After')
CHANGE_UNKNOWN = ('unknown', 'After')
DELETED = ('acknowledged', None)


@pytest.mark.parametrize(('steps', 'found', 'lost', 'ghosts'), [
    ([MADE], {'a chair': ['First']}, 0, 0),
    ([MADE], {}, 1, 0),
    ([MADE], {'a chair': ['First', 'First']}, 0, 1),
    ([MADE], {'a chair': ['Else']}, 0, 1),
    ([MADE], {'a chair': ['First'], 'a table': ['First']}, 0, 1),
    ([MADE, CHANGED], {'a chair': ['First']}, 1, 0),
    ([MADE, CHANGE_UNKNOWN], {'a chair': ['First']}, 0, 0),
    ([MADE, CHANGE_UNKNOWN], {'a chair': ['After']}, 0, 0),
    ([MADE, CHANGE_UNKNOWN], {}, 1, 0),
    ([CHANGE_UNKNOWN], {}, 0, 0),
    ([MADE, DELETED], {}, 0, 0),
    ([MADE, DELETED], {'a chair': ['First']}, 1, 0),
])  # yapf: disable
def test_what_is_found_is_judged_by_what_was_told(
    steps: list[tuple[str, State]], found: dict[str, list[str]], lost: int, ghosts: int
) -> None:
    verdict = ledger_of(*steps).compare('project', found)

    assert (len(verdict.lost), len(verdict.ghosts)) == (lost, ghosts)


def test_what_was_unknown_and_is_seen_once_stays_so() -> None:
    ledger = ledger_of(MADE, CHANGE_UNKNOWN)
    ledger.compare('project', {'a chair': ['After']})

    assert ledger.compare('project', {'a chair': ['First']}).lost
