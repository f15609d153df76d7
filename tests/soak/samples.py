"""What the processes hold, watched from outside while they work (Linux)."""
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from tests.benchmarks.processes import memory_of
from tests.soak.verdict import Rest
from tests.soak.world import World
from tests.support.database import connect, select_one
from tests.support.prometheus import total
from tests.support.waiting import wait_until

_CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_IN_TRANSACTION = f"{_CONNECTIONS} AND state <> 'idle'"
_IN_USE = 'talelio_db_connections_in_use'


def connections_of(world: World) -> int | None:
    """None while the database is away."""
    try:
        with closing(connect(world.postgres.direct_url)) as database:
            return int(select_one(database, _CONNECTIONS))
    except psycopg2.Error:
        return None


def sample(world: World, seconds: float) -> dict[str, Any]:
    """MiB of each part, and connections to the database."""
    memory = {name: memory_of(pid) / 2**20 for name, pid in list(world.processes.items())}
    servers = world.servers()
    return {
        'seconds': seconds,
        'servers': len(servers),
        'memory': memory | {
            'API': sum(memory_of(api.pid) for api in servers) / 2**20
        },
        'connections': connections_of(world),
        'descriptors': [descriptors_of(pid) for pid in world.workers()],
        'threads': [threads_of(pid) for pid in world.workers()],
    }


def descriptors_of(pid: int) -> int:
    """0 of a process that has ended."""
    try:
        return sum(1 for _ in Path(f'/proc/{pid}/fd').iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return 0


def threads_of(pid: int) -> int:
    """0 of a process that has ended."""
    try:
        return sum(1 for _ in Path(f'/proc/{pid}/task').iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return 0


@contextmanager
def sampling(world: World, clock: Callable[[], float], interval: float) -> Iterator[list[dict[str, Any]]]:
    samples: list[dict[str, Any]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(interval):
            try:
                samples.append(sample(world, clock()))
            except AssertionError:
                # A server was just started, or has just ended.
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


def rest_of(world: World) -> Rest:
    """After nobody has been at work for a moment."""
    with closing(connect(world.postgres.direct_url)) as database:

        def is_over() -> bool:
            return select_one(database, _IN_TRANSACTION) == 0 and total(world.api, _IN_USE) == 0

        try:
            wait_until(is_over, 'nobody is at work')
        except AssertionError:
            # What is left is what the verdict is about.
            pass
        return Rest(
            connections=select_one(database, _CONNECTIONS),
            in_use=int(total(world.api, _IN_USE)),
            in_transaction=select_one(database, _IN_TRANSACTION),
            descriptors=max(descriptors_of(pid) for pid in world.workers()),
            threads=max(threads_of(pid) for pid in world.workers()),
        )
