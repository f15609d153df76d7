"""What happens in a soak, and when."""
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.rig import BODY, PROJECTS
from tests.faults.durability.ledger import Ledger
from tests.soak.flood import flood
from tests.soak.load import Load
from tests.soak.samples import rest_of, sampling
from tests.soak.verdict import Outcome, Phase, Rest
from tests.soak.visitors import Shown, Visitor
from tests.soak.world import World
from tests.support.members import Member, join, publish

# At most so many requests are under way at once.
VISITORS = 48
CALM, ROLLING, RENEWING, FLOODED, AWAY, AFTER = (
    'calm', 'rolling restart', 'workers renewed', 'login flood', 'database restart', 'after'
)
# Seconds after an incident that still count as its own.
_SETTLING = 5.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    seconds: float
    # Requests a second.
    rate: float = 60.0
    # Seconds of load before anything is counted.
    warm_up: float = 15.0
    # Requests of the flood: more than its address may make.
    flood: int = 400
    bcrypt_cost: int = 12

    @property
    def interval(self) -> float:
        """Seconds between two looks at the processes."""
        return min(5.0, max(1.0, self.seconds / 360))


@dataclass(kw_only=True)
class Story:
    """All that was seen."""

    phases: list[Phase] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    before: Rest
    after: Rest


def play(world: World, pace: Pace, ledger: Ledger, say: Callable[[str], None]) -> Story:
    members = _join(world)
    shown = _show(world, members[0])

    def load_of(seconds: float, first: int) -> Load:
        # Each load has addresses of its own: what the one before asked for does not count against it.
        visitors = [
            Visitor(first + number, world.traefik, member, shown, ledger)
            for number, member in enumerate(members[1:])
        ]
        return Load(visitors, pace.rate, seconds)

    say('warm-up')
    warm_up = load_of(pace.warm_up, 0)
    with warm_up.running():
        warm_up.wait_until(pace.warm_up)
    before = rest_of(world)
    load = load_of(pace.seconds, VISITORS)
    phases: list[Phase] = []
    with sampling(world, load.clock, pace.interval) as samples, load.running():
        flooded = _go_through(world, pace, load, members[1:], phases, say)
        load.wait_until(pace.seconds)
    say('the end')
    after = rest_of(world)
    return Story(
        phases=phases,
        outcomes=sorted([*load.outcomes, *flooded], key=lambda outcome: outcome.due),
        samples=samples,
        before=before,
        after=after,
    )


def _go_through(
    world: World,
    pace: Pace,
    load: Load,
    members: Sequence[Member],
    phases: list[Phase],
    say: Callable[[str], None],
) -> list[Outcome]:
    flooded: list[Outcome] = []
    people = [member.person for member in members]
    incidents: list[tuple[str, float, Callable[[], None]]] = [
        (ROLLING, 0.25, world.roll),
        (RENEWING, 0.4, world.renew_workers),
        (FLOODED, 0.5, lambda: flooded.extend(flood(world.traefik, people, pace.flood, load.clock))),
        (AWAY, 0.65, world.restart_database),
    ]
    since = 0.0
    for name, share, happen in incidents:
        load.wait_until(pace.seconds * share)
        begin = load.clock()
        phases.append(Phase(CALM, since, begin))
        say(name)
        happen()
        load.wait_until(load.clock() + _SETTLING)
        since = load.clock()
        phases.append(Phase(name, begin, since))
    assert since < pace.seconds, f'all this takes longer than {pace.seconds:g} s'
    phases.append(Phase(AFTER, since, pace.seconds))
    say(AFTER)
    return flooded


def _join(world: World) -> list[Member]:
    """One whose projects are read, and the visitors."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda _: join(world.api), range(VISITORS + 1)))


def _show(world: World, owner: Member) -> Shown:
    for number in range(PROJECTS):
        project = publish(world.api, owner, f'A chair, number {number}', BODY)
    project_path = f'/v1/projects/{project["id"]}'
    with closing(world.traefik.client(source='127.2.255.1')) as client:
        shown = client.get(owner.projects_path)
        return Shown(
            list_path=owner.projects_path,
            list_etag=shown.headers['ETag'],
            list_content=shown.content,
            project_path=project_path,
            project_content=client.get(project_path).content,
        )
