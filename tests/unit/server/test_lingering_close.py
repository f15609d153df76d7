import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from talelio_backend.server.lingering_close import close_aside
from tests.support.waiting import PATIENCE, wait_until

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(name='pairs')
def fixture_pairs() -> Iterator[list[Pair]]:
    """Connections, each with the server's end first."""
    before = set(threading.enumerate())
    with ExitStack() as ends:
        pairs = [socket.socketpair() for _ in range(70)]
        for pair in pairs:
            for end in pair:
                end.settimeout(PATIENCE)
                ends.enter_context(end)
        yield pairs
    # Each gives its place back as it ends, and the next test counts on all places.
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)


def is_closed(end: socket.socket) -> bool:
    return end.fileno() == -1


def test_close_does_not_wait_for_a_client_that_stays_connected(pairs: list[Pair]) -> None:
    server, client = pairs[0]
    server.sendall(b'the last answer')

    close_aside(server, timeout=PATIENCE)

    assert not is_closed(server)
    assert (client.recv(100), client.recv(100)) == (b'the last answer', b'')
    client.close()
    wait_until(lambda: is_closed(server), 'the connection is closed')


def test_remaining_data_of_the_client_is_received(pairs: list[Pair]) -> None:
    server, client = pairs[0]
    close_aside(server, timeout=PATIENCE)

    client.sendall(b'x' * 10_000)
    client.close()

    wait_until(lambda: is_closed(server), 'the connection is closed')


def test_lingering_connections_are_limited(pairs: list[Pair]) -> None:
    for server, _ in pairs:
        close_aside(server, timeout=PATIENCE)

    assert sum(is_closed(server) for server, _ in pairs) == 6
    for _, client in pairs:
        client.close()
    wait_until(lambda: all(is_closed(server) for server, _ in pairs), 'all are closed')


def test_lingering_times_out(pairs: list[Pair]) -> None:
    server, _ = pairs[0]

    close_aside(server, timeout=0.05)

    wait_until(lambda: is_closed(server), 'the connection is closed')
