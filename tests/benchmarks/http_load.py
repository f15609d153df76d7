"""As many requests as a server answers, from clients that keep their connections.

One process serves all clients, since what it takes of the machine is missing to the server that is measured:
some 30 microseconds a request, on one core. It makes every ratio kinder than the truth by as much as that is
of the time that both sides take; so it is measured, too.
"""
import re
import selectors
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# What a client sends: the kind of the request, under which it is counted, and its bytes. It is told the
# status and the body, which is good until it sends the next one.
Script = Generator[tuple[str, bytes], tuple[int, memoryview], None]

_LENGTH = re.compile(rb'(?i)\r\ncontent-length: (\d+)')
_CLOSING = re.compile(rb'(?i)\r\nconnection: close')
_BUFFER = 1 << 20  # bytes; the largest answer
_BODILESS = (204, 304)
# Seconds without any answer at all.
_PATIENCE = 120.0


@dataclass
class Answers:
    """What came back in the measured time, by the kind of request."""

    seconds: float
    latencies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    # Of all requests, also those of the warm-up.
    answered: int = 0
    # Seconds of the client's own processor time for all of them.
    client: float = 0.0

    def rate(self, *kinds: str) -> float:
        """Answers a second."""
        return sum(len(self.latencies[kind]) for kind in kinds or self.latencies) / self.seconds


def again_and_again(request: bytes, status: int = 200) -> Script:
    """Raises AssertionError when an answer has another status."""
    while True:
        got, body = yield 'request', request
        assert got == status, (got, bytes(body[:500]))


def ask(url: str, scripts: list[Script], *, seconds: float, warm_up: float = 0.2) -> Answers:
    """Have each client send what its script says until the time or the script is over, and be answered."""
    address = (urlsplit(url).hostname or '', urlsplit(url).port or 80)
    responses = Answers(seconds)
    began = time.perf_counter() + warm_up
    end = began + seconds
    cpu = time.process_time()
    with ExitStack() as closing:
        selector = closing.enter_context(selectors.DefaultSelector())
        clients = [_Client(address, script, selector, responses) for script in scripts]
        for client in clients:
            closing.callback(client.close)
            client.start()
        while any(client.is_waiting for client in clients):
            events = selector.select(_PATIENCE)
            assert events, f'no answer for {_PATIENCE:.0f} s'
            for key, mask in events:
                key.data(mask, began, end)
    responses.client = time.process_time() - cpu
    return responses


class _Client:

    def __init__(
        self, address: tuple[str, int], script: Script, selector: selectors.BaseSelector, responses: Answers
    ) -> None:
        self._address = address
        self._script = script
        self._selector = selector
        self._answers = responses
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._have = self._need = self._head = 0
        self._status = 0
        self._kind = ''
        self._rest = memoryview(b'')
        self._sent = 0.0
        self.is_waiting = True
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._selector.register(self._socket, selectors.EVENT_READ, self._go_on)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._selector.unregister(self._socket)
            self._socket.close()

    def start(self) -> None:
        self._send(*next(self._script))

    def _send(self, kind: str, request: bytes) -> None:
        self._kind = kind
        self._have = self._need = 0
        self._sent = time.perf_counter()
        self._rest = memoryview(request)
        self._send_rest()

    def _send_rest(self) -> None:
        try:
            self._rest = self._rest[self._socket.send(self._rest):]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            # Refused before all of it was read; the answer is there.
            self._rest = self._rest[:0]
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._rest else 0)
        if self._selector.get_key(self._socket).events != mask:
            self._selector.modify(self._socket, mask, self._go_on)

    def _go_on(self, mask: int, began: float, end: float) -> None:
        if mask & selectors.EVENT_WRITE:
            self._send_rest()
        if mask & selectors.EVENT_READ and self._receive():
            self._take_answer(began, end)

    def _receive(self) -> bool:
        """Return whether the answer is complete."""
        try:
            received = self._socket.recv_into(self._view[self._have:])
        except (BlockingIOError, ConnectionResetError):
            received = 0
        if not received:
            raise ConnectionError(f'closed in the middle of a {self._kind}')
        self._have += received
        if not self._need:
            self._head = self._buffer.find(b'\r\n\r\n', 0, self._have) + 4
            if self._head < 4:
                return False
            self._status = int(self._view[9:12])
            length = _LENGTH.search(self._buffer, 0, self._head)
            self._need = self._head + (int(length[1]) if length and self._status not in _BODILESS else 0)
        return self._have >= self._need

    def _take_answer(self, began: float, end: float) -> None:
        now = time.perf_counter()
        responses = self._answers
        responses.answered += 1
        if began <= now < end:
            responses.latencies[self._kind].append(now - self._sent)
        responses.statuses[self._kind, self._status] += 1
        if _CLOSING.search(self._buffer, 0, self._head):
            self.close()
            self._connect()
        try:
            kind, request = self._script.send((self._status, self._view[self._head:self._need]))
        except StopIteration:
            end = now
        if now < end:
            self._send(kind, request)
        else:
            # At once: a server closes what is idle for long.
            self.is_waiting = False
            self.close()


def get(path: str, **headers: str) -> bytes:
    return message('GET', path, headers)


def post(path: str, body: bytes, **headers: str) -> bytes:
    return message('POST', path, {'Content_Type': 'application/json'} | headers, body)


def message(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """A request. The names of headers are written with underscores."""
    lines = [f'{method} {path} HTTP/1.1', 'Host: api.test']
    lines += [f'{name.replace("_", "-")}: {value}' for name, value in headers.items()]
    if body is not None:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*lines, '', '']).encode() + (body or b'')


# Makes them where they are run: they cannot be sent to another process, and a function of a module can.
Scripts = Callable[[], list[Script]]


def ask_in_a_process(url: str, scripts: Scripts, seconds: float, warm_up: float) -> Answers:
    """For a pool of processes."""
    return ask(url, scripts(), seconds=seconds, warm_up=warm_up)


def of_clients(request: bytes, clients: int, status: int = 200) -> list[Script]:
    return [again_and_again(request, status) for _ in range(clients)]
