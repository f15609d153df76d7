"""Loses one part of a cluster after the other under load: `make test-cluster`.

Without PgBouncer it says what is missing. With `--write` the table goes into RELIABILITY.md.
"""
import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.load import Client, Load, Reader, Writer
from tests.cluster.verdict import inexact, lost, stale, strange, unheard
from tests.cluster.world import World, new_world
from tests.faults.report import write_between
from tests.support.members import join, publish
from tests.support.pgbouncer import find_pgbouncer

WRITERS, READERS = 4, 4
HEAD = '| lost | failed writes | failed reads | until all writes were good |\n|---|---|---|---|'


@dataclass(frozen=True)
class Event:
    name: str
    # Between two of them, some write is refused.
    steps: Sequence[Callable[[World], None]]
    afterwards: Callable[[World], None] = lambda world: None
    may_fail: bool = True


EVENTS = [
    Event('an API server (`kill -9`)', [World.lose_a_server], afterwards=World.bring_back_the_server),
    Event('PgBouncer (`kill -9`, started again)', [World.lose_the_pooler]),
    Event(
        'the primary (`kill -9`); then its address leads to the standby; then that is promoted',
        [World.lose_the_primary, World.lead_to_the_standby, World.promote]
    ),
    Event('nothing: all servers are restarted, one by one', [World.roll], may_fail=False),
]


def suffer(world: World, load: Load, event: Event) -> tuple[str, list[str]]:
    """Return a line of the table, and what was wrong."""
    began = last_step = time.monotonic()
    for number, step in enumerate(event.steps):
        if number:
            load.wait_until_refused(last_step)
        last_step = time.monotonic()
        step(world)
    load.wait_until_good(time.monotonic())
    writes, last = load.failed(began, reads=False)
    reads, _ = load.failed(began, reads=True)
    event.afterwards(world)
    load.wait_until_good(time.monotonic())
    seconds = f'{last - began:.1f} s'
    if len(event.steps) > 1:
        seconds += f', {max(0.0, last - last_step):.1f} s of them after the last step'
    line = f'| {event.name} | {told(writes)} | {told(reads)} | {seconds} |'
    print(line, flush=True)
    if event.may_fail or not (writes or reads):
        return line, []
    return line, [f'failed during a restart: {told(writes + reads)}']


def told(counts: Counter[str]) -> str:
    return ', '.join(f'{count} × {result}' for result, count in sorted(counts.items())) or '0'


def run() -> tuple[list[str], list[str]]:
    """Return the lines of a report, and what was wrong."""
    lines, wrong = [], []
    with tempfile.TemporaryDirectory(prefix='cluster-') as folder, new_world(Path(folder)) as world:
        writers = []
        for _ in range(WRITERS):
            member = join(world.apis[0])
            project = publish(world.apis[0], member, '0', 'text')
            writers.append(Writer(client=Client(world.traefik), member=member, project_id=project['id']))
        load = Load(writers, [Reader(client=Client(world.traefik), writers=writers) for _ in range(READERS)])
        with load.running():
            load.wait_until_good(time.monotonic())
            for event in EVENTS:
                line, found = suffer(world, load, event)
                lines.append(line)
                wrong += found
        wrong += [*lost(world, writers), *stale(load.readers), *strange([*writers, *load.readers])]
        wrong += [*unheard(world), *inexact(world)]
        made = sum(len(writer.numbers) + len(writer.published) for writer in writers)
        read = sum(len(reader.seen) for reader in load.readers)
    head = f'{made} acknowledged writes and {read} reads by {WRITERS} writers and {READERS} readers, ' \
        f'on {os.cpu_count()} cores. Times are measured, not required.'
    return [head, '', *HEAD.splitlines(), *lines], wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.cluster', description=__doc__)
    parser.add_argument('--write', action='store_true', help='put the table into RELIABILITY.md')
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        find_pgbouncer()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        print(missing, file=sys.stderr)
        return 1
    lines, wrong = run()
    print('\n'.join([*lines, *(f'WRONG: {each}' for each in wrong)]))
    if arguments.write and not wrong:
        write_between('cluster', lines)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
