"""HTTP written by hand, for what no client library would send."""
import json
import socket
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    status_code: int
    reason: str
    headers: Message
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def exchange(url: str, request: bytes, *, end: bool = False) -> RawAnswer:
    """Send the bytes as they are and read one answer; with `end`, say that nothing more will come."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port or 80), PATIENCE) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        response = HTTPResponse(connection, method=request.partition(b' ')[0].decode('latin-1'))
        try:
            response.begin()
            return RawAnswer(
                status_code=response.status,
                reason=response.reason,
                headers=response.headers,
                text=response.read().decode(),
            )
        finally:
            response.close()


def head(method: str, path: str, *lines: str) -> bytes:
    """A request up to its body; the answer ends the connection."""
    first = [f'{method} {path} HTTP/1.1', 'Host: api.test', 'Connection: close', *lines]
    return '\r\n'.join([*first, '', '']).encode('latin-1')
