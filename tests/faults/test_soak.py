"""A look whether `make soak` still goes, at a few requests."""
from tests.faults.cases import Case, for_each
from tests.soak.__main__ import run
from tests.soak.course import Pace


@for_each([
    Case(
        part='All of it',
        fault='restarts of each part under steady load',
        meanwhile='the shortest soak',
        holds='served, or told when to come back; nothing lost, nothing kept for ever',
    )
])
def test_the_shortest_soak(case: Case) -> None:
    del case
    document = run(Pace(seconds=100, rate=20, warm_up=5, flood=20, bcrypt_cost=10), print)

    # In so short a time memory says nothing.
    assert [each for each in document['wrong'] if not each.startswith('memory')] == [], document['failed']
    assert document['summaries']['calm']['served'] > 500
    assert document['summaries']['database restart']['told to retry'] > 0
