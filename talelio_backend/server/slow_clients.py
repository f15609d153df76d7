"""Limits the threads that clients can hold by sending slowly, and how long they hold them."""
import os
import time
from collections import Counter
from ipaddress import ip_address, ip_network
from socket import socket
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

# Seconds for the whole head of a request, from its first byte.
HEAD_TIMEOUT = 10.0
# Bytes of a request's head. A worker may hold as many heads as it has connections.
_LONGEST_HEAD = 65536

# Seconds that a thread waits for a body, besides the time that it takes at `BODY_RATE` bytes per second.
BODY_GRACE = 10.0
BODY_RATE = 16384

# Connections of one address per worker: a quarter of the threads is left to the others.
PER_ADDRESS = 24
# As many as they like: proxies and programs on this machine, besides TRUSTED_PROXIES.
UNLIMITED = [ip_network('127.0.0.0/8'), ip_network('::1')]

_open = Counter[bytes]()


class RequestReader(SocketUnreader):
    """Receives a request's head without blocking, and its body at a minimum rate."""

    def __init__(self, sock: socket) -> None:
        super().__init__(sock)
        self._ended = self._in_body = False
        self._received, self._waited = 0, 0.0

    def receive_head(self) -> bool:
        """Whether Gunicorn can parse or reject the head, without waiting for more."""
        self._in_body = False
        while not self._is_decided():
            try:
                data = self.sock.recv(self.mxchunk)
            except BlockingIOError:
                return False
            except OSError:
                data = b''
            self._ended = not data
            self.buf.seek(0, os.SEEK_END)
            self.buf.write(data)
        return True

    def _is_decided(self) -> bool:
        head = self.buf.getvalue()
        return self._ended or b'\r\n\r\n' in head or len(head) > _LONGEST_HEAD \
            or head.count(b'\n') != head.count(b'\r\n')

    def begin_body(self) -> None:
        self._in_body = True
        self._received, self._waited = 0, 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Raises TimeoutError for a body that comes too slowly."""
        if not self._in_body:
            if self._ended:
                return b''
            raise LimitRequestHeaders(f'more than {_LONGEST_HEAD} bytes')
        silence, began = self.sock.gettimeout(), time.monotonic()
        # Only what this waits for the client counts, not what the service does between.
        left = BODY_GRACE + self._received / BODY_RATE - self._waited
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left if silence is None else min(left, silence))
        try:
            data: bytes = super().chunk(size_hint)  # type: ignore[call-arg]
        finally:
            self.sock.settimeout(silence)
            self._waited += time.monotonic() - began
        self._received += len(data)
        return data


class Connection(TConn):
    """A connection that counts towards the limit of its address until it is closed."""

    def __init__(self, cfg: Any, sock: socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        # Without TLS and HTTP/2 this only makes the parser.
        self.init()
        self.reader = RequestReader(sock)
        self.parser.unreader = self.reader  # type: ignore[union-attr]
        sock.setblocking(False)
        self._network = _limited_network(cfg, client)
        self.is_one_too_many = _open[self._network] >= PER_ADDRESS
        if self._network:
            _open[self._network] += 1

    def close(self, graceful: bool = False) -> None:
        if self._network:
            _open[self._network] -= 1
            if not _open[self._network]:
                del _open[self._network]
            self._network = b''
        super().close(graceful)


def _limited_network(cfg: Any, client: Any) -> bytes:
    """Return the address, or the /64 of an IPv6 address; nothing for a client without limit."""
    try:
        address = ip_address(client[0].partition('%')[0])
    except (IndexError, ValueError):
        # A Unix socket.
        return b''
    # An IPv4 client of an IPv6 socket.
    address = getattr(address, 'ipv4_mapped', None) or address
    is_unlimited = any(address in network for network in [*UNLIMITED, *cfg.forwarded_allow_networks()])
    return b'' if is_unlimited else address.packed[:8]
