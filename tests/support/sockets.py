"""Addresses at which there is nobody, or nobody who speaks."""
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[int]:
    """A loopback port that refuses connections, and that no other program is given meanwhile."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        yield int(taken.getsockname()[1])


@contextmanager
def silent_port() -> Iterator[int]:
    """A loopback port that accepts connections (the kernel does) and never says a word."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        yield int(listener.getsockname()[1])
