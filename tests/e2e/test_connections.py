"""Which worker takes a connection, where several wait for it."""
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Serve
from tests.support.processes import children_of
from tests.support.served_api import ServedApi
from tests.support.waiting import wait_until

CLIENTS = 40
REQUEST = b'GET /health/live HTTP/1.1\r\nHost: api.test\r\n\r\n'


@pytest.fixture(name='api', scope='function')
def fixture_api(serve: Serve, postgres_url: str) -> ServedApi:
    return serve(postgres_url, {'WEB_CONCURRENCY': '2'})


def sockets_of(pid: int) -> int:
    links = [os.readlink(entry) for entry in Path(f'/proc/{pid}/fd').iterdir() if entry.is_symlink()]
    return sum(link.startswith('socket:') for link in links)


@contextmanager
def connected(api: ServedApi, clients: int) -> Iterator[None]:
    """Clients that were answered, one after the other, and keep their connections."""
    address = urlsplit(api.url)
    with ExitStack() as closing:
        for _ in range(clients):
            client = socket.create_connection((address.hostname, address.port or 80), 20)
            closing.enter_context(client)
            client.sendall(REQUEST)
            assert client.recv(4096).split()[1] == str(HTTPStatus.OK.value).encode()
        yield


def taken(api: ServedApi) -> list[int]:
    """How many of some clients each worker took, the least first."""
    workers = children_of(api.pid)
    before = {worker: sockets_of(worker) for worker in workers}
    with connected(api, CLIENTS):
        return sorted(sockets_of(worker) - before[worker] for worker in workers)


def test_no_worker_takes_the_connections_of_all(api: ServedApi) -> None:
    # Half, where the machine has nothing else to do.
    assert taken(api)[0] >= CLIENTS // 4


def test_who_takes_the_place_of_another_takes_its_share(api: ServedApi) -> None:
    workers = children_of(api.pid)
    with connected(api, CLIENTS):
        # One that has many.
        os.kill(max(workers, key=sockets_of), signal.SIGKILL)
        wait_until(lambda: len(set(children_of(api.pid)) - set(workers)) == 1, 'another worker')

    wait_until(lambda: taken(api)[0] >= CLIENTS // 4, 'its share')


def test_one_that_hangs_leaves_them_to_others(api: ServedApi) -> None:
    hanging, _ = children_of(api.pid)
    os.kill(hanging, signal.SIGSTOP)
    try:
        with connected(api, CLIENTS):
            pass
    finally:
        os.kill(hanging, signal.SIGCONT)
