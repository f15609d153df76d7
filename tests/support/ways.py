"""How a TcpProxy passes on what comes through it."""
import threading
from collections.abc import Iterator
from typing import Protocol

# Pieces a second of a slow line.
_PIECES = 20

# As psycopg2 asks for a commit, and as PostgreSQL says that it is done: whole messages, each with its type,
# its length and its text. Both sides wait for each other, so that neither comes in pieces.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_QUERY_COMMIT = b'Q\0\0\0\x0bCOMMIT\0'
_COMMIT_COMPLETE = b'C\0\0\0\x0bCOMMIT\0'


class Cut(Exception):
    """The connection is to be reset here."""


class Way(Protocol):
    """One for all connections of a proxy, which ask it from many threads."""

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        """Yield what is passed on of what has come. Raises Cut."""


class Straight:

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        del to_server
        yield content


class Delayed:
    """As from far away: whatever comes is so many seconds late, in both directions."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._never = threading.Event()

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        del to_server
        self._never.wait(self._seconds)
        yield content


class Slow:
    """As over a bad line, of so many bytes a second in each direction."""

    def __init__(self, bytes_a_second: int) -> None:
        self._size = max(1, bytes_a_second // _PIECES)
        self._never = threading.Event()

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        del to_server
        for start in range(0, len(content), self._size):
            self._never.wait(1 / _PIECES)
            yield content[start:start + self._size]


class CutAfter:
    """Resets one connection when so many bytes have gone to the server, or to the client, on all together."""

    def __init__(self, number: int, *, to_server: bool) -> None:
        self._left = number
        self._to_server = to_server
        self._lock = threading.Lock()
        self.has_cut = False

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        if to_server != self._to_server:
            yield content
            return
        with self._lock:
            passed = content if self.has_cut else content[:self._left]
            cuts = not self.has_cut and len(content) > self._left
            self._left -= len(passed)
            self.has_cut = self.has_cut or cuts
        if passed:
            yield passed
        if cuts:
            raise Cut


class HeldBack:
    """Holds back, until it is let go, each HTTP request of these methods; its client may give it up."""

    def __init__(self, *methods: str) -> None:
        self._beginnings = tuple(f'{method} '.encode() for method in methods)
        self._go_on = threading.Event()
        self._cuts = False
        # The paths that were asked for.
        self.paths: list[str] = []

    def let_go(self) -> None:
        self._go_on.set()

    def cut(self) -> None:
        """Reset the connections of the requests that are held back, and of each that follows."""
        self._cuts = True
        self._go_on.set()

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        if to_server and content.startswith(self._beginnings):
            self.paths.append(content.split(b' ')[1].decode())
            self._go_on.wait()
            if self._cuts:
                raise Cut
        yield content


class CutAtCommit:
    """Resets one connection to PostgreSQL at the commit of that number, counted on all together.

    `answered`: the server has carried it out and said so, and the client does not hear of it. Otherwise the
    server does not hear of the commit.
    """

    def __init__(self, number: int, *, answered: bool) -> None:
        self._left = number
        self._mark = _COMMIT_COMPLETE if answered else _QUERY_COMMIT
        self._lock = threading.Lock()
        self.has_cut = False

    def pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        del to_server
        with self._lock:
            self._left -= self._mark in content
            cuts = not self.has_cut and self._left == 0
            self.has_cut = self.has_cut or cuts
        if cuts:
            raise Cut
        yield content
