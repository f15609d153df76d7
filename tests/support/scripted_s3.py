"""An S3 server that says what the test wants, for what a well-behaved one never does."""
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# Bytes of a body that a slow server reads at once.
_PIECE = 1 << 19
# Seconds between the bytes of an answer that drips.
_PAUSE = 0.05


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b''
    headers: Mapping[str, str] = field(default_factory=dict)
    # Less than the body's length lets the connection end too early.
    cut_at: int | None = None


# Answers that are none.
DRIP = Answer(status=-1)
SILENCE = Answer(status=-2)
CLOSE = Answer(status=-3)


def error_response(
    status: int, code: str, *, message: str = '', request_id: str = '4442587FB7D0A2F9'
) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>' \
        f'<RequestId>{request_id}</RequestId></Error>'
    return Answer(status, body.encode(), {'x-amz-request-id': request_id})


@dataclass
class Seen:
    """A request; `received` counts the bytes of its body, of which no more come when it has ended."""

    method: str
    # Without the bucket.
    key: str
    received: int = 0
    ended: bool = False


class ScriptedS3:
    """The script is called for each request that has come in whole, in a thread of its own.

    A slow server reads bodies in pieces of half a MiB and waits for so many seconds after each.
    """

    def __init__(self, script: Callable[[Seen], Answer], *, slow: float = 0) -> None:
        self.seen: list[Seen] = []
        self._stopping = threading.Event()
        handler = _handler(script, self.seen, self._stopping, slow)
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self._server.daemon_threads = True
        if slow:
            # So that what is not read is soon not sent either. It is for the connections made from now on.
            self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f'127.0.0.1:{self._server.server_address[1]}'

    @property
    def url(self) -> str:
        return f'http://{self.address}'


def _handler(script: Callable[[Seen], Answer], all_seen: list[Seen], stopping: threading.Event,
             slow: float) -> type[BaseHTTPRequestHandler]:

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def handle(self) -> None:
            # The client may be gone at any time.
            with suppress(OSError):
                super().handle()

        def parse_request(self) -> bool:
            # Instead of a method of this class for each of HTTP's.
            if super().parse_request():
                seen = self._take_in()
                if seen is not None:
                    self._reply(script(seen))
            return False

        def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
            pass

        def _take_in(self) -> Seen | None:
            path = urlsplit(self.path).path
            seen = Seen(self.command, path.lstrip('/').partition('/')[2])
            all_seen.append(seen)
            length = int(self.headers.get('Content-Length', '0'))
            while piece := self.rfile.read1(min(_PIECE, length - seen.received)):
                seen.received += len(piece)
                if slow:
                    stopping.wait(slow * len(piece) / _PIECE)
            seen.ended = True
            return seen if seen.received == length else None

        def _reply(self, response: Answer) -> None:
            self.close_connection = True
            if response is SILENCE:
                stopping.wait()
            elif response is DRIP:
                self.wfile.write(b'HTTP/1.1 200 OK\r\nX-Drip: ')
                while not stopping.wait(_PAUSE):
                    self.wfile.write(b'.')
            elif response is not CLOSE:
                self._write(response)

        def _write(self, response: Answer) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header('Content-Length', str(len(response.body)))
            self.end_headers()
            if self.command != 'HEAD':
                self.wfile.write(response.body[:response.cut_at])
            self.close_connection = response.cut_at is not None

    return Handler
