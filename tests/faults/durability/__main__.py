"""Rounds of random load with a `kill -9` in each: `make test-durability`."""
import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.durability.clients import Client
from tests.faults.durability.ledger import Ledger
from tests.faults.durability.verdict import compare_mail, compare_rows, half_stored
from tests.faults.durability.world import VICTIMS, World, new_world
from tests.faults.report import write_between
from tests.support.database import connect, execute
from tests.support.uploads import sweep
from tests.support.waiting import wait_until

CLIENTS = 8
# Requests before the kill, at least and at most, and how many seconds after the last of them it comes.
REQUESTS, MOMENT = (20, 200), 0.1
# Seconds of load after everything is back.
AFTER = 0.3
FOLDER, S3 = 'a folder', 'S3'


@dataclass
class Result:
    """Of all rounds with one victim."""

    rounds: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    ghosts: int = 0
    half_stored: int = 0
    # Answers that no fault explains.
    strange: int = 0

    @property
    def is_well(self) -> bool:
        return not (self.lost or self.ghosts or self.half_stored or self.strange)

    def add(self, other: 'Result') -> None:
        self.rounds += other.rounds
        self.outcomes += other.outcomes
        self.lost += other.lost
        self.ghosts += other.ghosts
        self.half_stored += other.half_stored
        self.strange += other.strange


class Run:
    """All rounds on one store, with one ledger."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.ledger = Ledger()
        self.results: dict[str, Result] = defaultdict(Result)
        self._random = random.Random(seed)
        self._seed = seed

    def round(self, number: int, victim: str) -> None:
        stopping = threading.Event()
        before = Counter(self.ledger.outcomes)
        self._let_register(number)
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [
                Client(self.world.api.url, self.ledger, f'r{self._seed}-{number}-c{each}', stopping)
                for each in range(CLIENTS)
            ]
            running = [pool.submit(client.run) for client in clients]
            try:
                self._wait_for_a_moment(before.total())
                VICTIMS[victim](self.world)
                self.world.restart_what_is_dead()
                time.sleep(AFTER)
            finally:
                stopping.set()
            for each in running:
                each.result()
        self.world.wait_for_mail()
        result = self.results[victim]
        result.rounds += 1
        for (_, outcome), times in (self.ledger.outcomes - before).items():
            result.outcomes[outcome] += times
        self._judge(result, f'round {number}, {victim}')

    def _wait_for_a_moment(self, before: int) -> None:
        """What the round is about."""
        number = before + self._random.randint(*REQUESTS)
        wait_until(lambda: self.ledger.outcomes.total() >= number, 'requests are answered')
        time.sleep(self._random.uniform(0, MOMENT))

    def _let_register(self, number: int) -> None:
        """A whitelist as long as the names that the clients may think of."""
        statement = """
            INSERT INTO whitelist (email, note, added_at)
            SELECT format('r%%s-%%s-c%%s-%%s@example.com', %s, %s, client, name), '', now()
            FROM generate_series(0, %s) AS client, generate_series(1, 2000) AS name
        """
        with closing(connect(self.world.postgres.direct_url)) as database:
            execute(database, 'DELETE FROM whitelist')
            execute(database, statement, self._seed, number, CLIENTS)

    def _judge(self, result: Result, title: str) -> None:
        with closing(connect(self.world.postgres.direct_url)) as database:
            verdict = compare_rows(self.ledger, database)
        mail, _, _ = compare_mail(self.ledger, self.world)
        verdict += mail
        halves, _ = half_stored(self.world)
        result.lost += len(verdict.lost)
        result.ghosts += len(verdict.ghosts)
        result.half_stored += len(halves)
        result.strange += len(self.ledger.strange)
        for name, found in (('LOST', verdict.lost), ('GHOST', verdict.ghosts), ('HALF', halves),
                            ('STRANGE', self.ledger.strange)):
            for each in found:
                print(f'{title}: {name} {each}', flush=True)
        self.ledger.strange.clear()

    def finish(self) -> list[str]:
        """Sweep, and say what there is besides."""
        _, mails, duplicates = compare_mail(self.ledger, self.world)
        halves, files = half_stored(self.world)
        sweep(self.world.api)
        after, left = half_stored(self.world)
        assert left == 0, 'the sweep has left files that nobody needs'
        assert halves == after
        return [
            f'{mails} mails, of which {duplicates} came a second time (with the Message-ID of the first)',
            f'{files} files that no row claims, all of which `flask assets sweep --delete` has taken',
        ]


def table(results: dict[str, Result]) -> list[str]:
    lines = [
        '| killed | rounds | acknowledged | refused | unknown | lost | ghosts | half-stored | strange |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for victim, result in [*results.items(), ('**all**', sum_of(results.values()))]:
        outcomes = result.outcomes
        lines.append(
            f'| {victim} | {result.rounds} | {outcomes["acknowledged"]} | {outcomes["refused"]} '
            f'| {outcomes["unknown"]} | {result.lost} | {result.ghosts} | {result.half_stored} '
            f'| {result.strange} |'
        )
    return lines


def sum_of(results: Iterable[Result]) -> Result:
    whole = Result()
    for result in results:
        whole.add(result)
    return whole


def run_on(store: str, numbers: range, seed: int) -> tuple[dict[str, Result], list[str]]:
    """Return what came of the rounds, and notes about the whole."""
    with tempfile.TemporaryDirectory(prefix='durability-') as folder:
        with new_world(Path(folder), on_s3=store == S3) as world:
            run_here = Run(world, seed)
            for number in numbers:
                run_here.round(number, list(VICTIMS)[number % len(VICTIMS)])
            return run_here.results, [f'- Pictures in {store}: {note}.' for note in run_here.finish()]


def run(rounds: int, seed: int) -> tuple[list[str], bool]:
    """Return the lines of a report, and whether nothing was wrong."""
    results: dict[str, Result] = defaultdict(Result)
    notes: list[str] = []
    began = time.monotonic()
    first = rounds - rounds // 2
    for store, numbers in ((FOLDER, range(first)), (S3, range(first, rounds))):
        if numbers:
            found, said = run_on(store, numbers, seed)
            notes += said
            for victim, result in found.items():
                results[victim].add(result)
    whole = sum_of(results.values())
    seconds = (time.monotonic() - began) / max(rounds, 1)
    lines = [f'{rounds} rounds, seed {seed}, {seconds:.1f} s a round.', '', *table(results), '', *notes]
    return lines, whole.is_well


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.faults.durability', description=__doc__)
    parser.add_argument('--rounds', type=int, default=100)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--write', action='store_true', help='put the table into RELIABILITY.md')
    arguments = parser.parse_args()
    # Whoever ends it early leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    lines, is_well = run(arguments.rounds, arguments.seed)
    print('\n'.join(lines))
    if arguments.write:
        write_between('durability', lines)
    return 0 if is_well else 1


if __name__ == '__main__':
    sys.exit(main())
