"""As many requests as a server answers, from clients that keep their connections."""
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_LENGTH = re.compile(rb'(?i)\r\ncontent-length: (\d+)')
_PIECE = 1 << 18  # bytes


def requests_for(url: str, request: bytes, *, seconds: float, clients: int) -> list[float]:
    """Send the same request again and again; return the seconds that each answer took.

    Raises AssertionError when an answer is not a 200.
    """
    address = (urlsplit(url).hostname, urlsplit(url).port)
    barrier = threading.Barrier(clients)

    def client() -> list[float]:
        latencies = []
        with socket.create_connection(address, timeout=30) as connection:
            # Not measured: what the first request alone brings up.
            _ask(connection, request)
            barrier.wait(30)
            end = time.perf_counter() + seconds
            while (began := time.perf_counter()) < end:
                _ask(connection, request)
                latencies.append(time.perf_counter() - began)
        return latencies

    with ThreadPoolExecutor(clients) as threads:
        futures = [threads.submit(client) for _ in range(clients)]
        return [latency for future in futures for latency in future.result()]


def _ask(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    answer = b''
    while b'\r\n\r\n' not in answer:
        answer += _receive(connection)
    head, _, body = answer.partition(b'\r\n\r\n')
    assert head.startswith(b'HTTP/1.1 200'), answer
    length = _LENGTH.search(head)
    assert length is not None, head
    missing = int(length[1]) - len(body)
    while missing:
        missing -= len(_receive(connection, missing))


def _receive(connection: socket.socket, most: int = _PIECE) -> bytes:
    piece = connection.recv(min(most, _PIECE))
    assert piece, 'the connection was closed'
    return piece
