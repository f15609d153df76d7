import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.support.ways import Cut, Straight, Way

# With it, closing a socket resets the connection, as when a machine dies.
_RESET_ON_CLOSE = struct.pack('ii', 1, 0)

# Seconds.
_PATIENCE = 1.0


class TcpProxy:
    """Stands between two programs, on a port that stays, and lets their connections fail.

    It begins by forwarding. A change of `target` is for the connections made from then on.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._address = ('127.0.0.1', 0)
        self._listener: socket.socket | None = None
        self._flows = threading.Event()
        self._way: Way = Straight()
        self._lock = threading.Lock()
        self._connections: list[_Connection] = []
        self._threads: list[threading.Thread] = []

    @classmethod
    def before(cls, url: str) -> Self:
        parts = urlsplit(url)
        assert parts.hostname is not None and parts.port is not None
        return cls(parts.hostname, parts.port)

    def __enter__(self) -> Self:
        self.forward()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.refuse()
        self._flows.set()
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        return self._address[1]

    @property
    def url(self) -> str:
        """Of the HTTP server behind it."""
        return f'http://127.0.0.1:{self.port}'

    def forward(self) -> None:
        """Pass everything on, also what was held back."""
        self._way = Straight()
        self._flows.set()
        if self._listener is None:
            self._listener = socket.create_server(self._address)
            self._address = self._listener.getsockname()
            thread = threading.Thread(target=self._accept, args=(self._listener, ))
            self._threads.append(thread)
            thread.start()

    def hang(self) -> None:
        """Take connections and what comes through them, and pass nothing on."""
        self._flows.clear()

    def go_by(self, way: Way) -> None:
        """Pass on in this way what comes from now on, also on the connections there are."""
        self._way = way

    def cut(self) -> None:
        """Reset all connections there are, and return when that has happened."""
        with self._lock:
            for connection in self._connections:
                connection.cut()
            for connection in self._connections:
                # Not for ever: whoever takes nothing may keep one.
                connection.closed.wait(_PATIENCE)
            self._connections.clear()

    def refuse(self) -> None:
        """Reset all connections and take no new ones."""
        self.refuse_new()
        self.cut()

    def refuse_new(self) -> None:
        """Take no new connections, and leave those there are."""
        if self._listener is not None:
            with suppress(OSError):
                # Wakes the thread that waits in `accept`.
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(self.target)
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._connections.append(_Connection(client, server, self._flows, lambda: self._way))


class _Connection:
    """Two sockets and two threads, each of which takes from one of them and gives to the other."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        flows: threading.Event,
        way: Callable[[], Way],
    ) -> None:
        self._ends = (client, server)
        self._flows = flows
        self._way = way
        self._is_cut = False
        self._lock = threading.Lock()
        self._pumping = 2
        self.closed = threading.Event()
        for source, sink in (self._ends, reversed(self._ends)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        with self._lock:
            if self._pumping:
                self._wake(reset=True)

    def _wake(self, *, reset: bool = False) -> None:
        for end in self._ends:
            with suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                # It ends a `recv`, and sends nothing.
                end.shutdown(socket.SHUT_RD)

    def _pieces(self, content: bytes, *, to_server: bool) -> Iterator[bytes]:
        try:
            yield from self._way().pieces(content, to_server=to_server)
        except Cut:
            self.cut()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                while not self._is_cut and not self._flows.wait(0.05):
                    pass
                for piece in self._pieces(content, to_server=sink is self._ends[1]):
                    if self._is_cut:
                        break
                    sink.sendall(piece)
        with self._lock:
            self._pumping -= 1
            # One direction that has ended ends the other: both protocols here say good-bye before.
            self._wake()
            if not self._pumping:
                for end in self._ends:
                    end.close()
                self.closed.set()
