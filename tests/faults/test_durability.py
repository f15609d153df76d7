"""A look whether the rounds of `make test-durability` still go."""
from tests.faults.cases import Case, for_each
from tests.faults.durability.__main__ import run


@for_each([
    Case(
        part='All of it',
        fault='kill -9 under load',
        meanwhile='two rounds of the durability run',
        holds='nothing lost, no ghosts, nothing half-stored',
    )
])
def test_two_rounds(case: Case) -> None:
    del case
    lines, is_well = run(rounds=2, seed=1)

    assert is_well, lines
