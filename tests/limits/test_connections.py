"""How many connections each worker accepts, compared with an equal share."""
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.limits.ratios import median_ratio
from tests.support.connections import connected
from tests.support.processes import children_of
from tests.support.served_api import ServedApi
from tests.support.waiting import wait_until

CLIENTS = 40
# Of an equal share, which each gets on a machine that does nothing else.
LEAST = 0.5


@pytest.fixture(name='api', scope='function')
def _api(serve: Serve, postgres_url: str) -> ServedApi:
    return serve(postgres_url, {'WEB_CONCURRENCY': '2'})


def sockets_of(pid: int) -> int:
    links = [os.readlink(entry) for entry in Path(f'/proc/{pid}/fd').iterdir() if entry.is_symlink()]
    return sum(link.startswith('socket:') for link in links)


def least_and_equal_share(api: ServedApi) -> tuple[float, float]:
    """Connections of the worker with the fewest, and those it would have if all had the same."""
    workers = children_of(api.pid)
    before = {worker: sockets_of(worker) for worker in workers}
    with connected(api, CLIENTS):
        accepted = [sockets_of(worker) - before[worker] for worker in workers]
    return min(accepted), sum(accepted) / len(accepted)


def test_every_worker_accepts_its_share_of_the_connections(api: ServedApi) -> None:
    assert median_ratio(lambda: least_and_equal_share(api)) >= LEAST


def test_a_worker_that_replaces_a_killed_one_accepts_its_share(api: ServedApi) -> None:
    workers = children_of(api.pid)
    with connected(api, CLIENTS):
        os.kill(max(workers, key=sockets_of), signal.SIGKILL)
        wait_until(lambda: len(set(children_of(api.pid)) - set(workers)) == 1, 'another worker')

    assert median_ratio(lambda: least_and_equal_share(api)) >= LEAST
