"""A client that speaks to a proxy under the service's own name, from an address of its choice."""
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from types import TracebackType
from typing import Any, Self

import trustme

from tests.support.waiting import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Answer:
    status_code: int
    headers: HTTPMessage
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Proxied(HTTPConnection):
    """HTTP/1.1 over TLS; the connection is kept and, when it was closed, made anew."""

    def __init__(
        self,
        port: int,
        authority: trustme.CA,
        *,
        source: str = '127.0.0.1',
        name: str = 'api.test',
        version: ssl.TLSVersion | None = None,
        # OpenSSL itself refuses to begin TLS 1.1 with others.
        ciphers: str = 'DEFAULT:@SECLEVEL=0',
    ) -> None:
        # The port is not in the Host header: a client of the real thing needs none.
        super().__init__(name, timeout=PATIENCE)
        self._address = ('127.0.0.1', port)
        self._source = source
        # Without the machine's own authorities, which take a while to load.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self._context)
        if version is not None:
            self._context.minimum_version = self._context.maximum_version = version
            self._context.set_ciphers(ciphers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        plain = socket.create_connection(self._address, PATIENCE, source_address=(self._source, 0))
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    @property
    def tls_version(self) -> str | None:
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.sock.version()

    def ask(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None
    ) -> Answer:
        self.request(method, path, content, dict(headers or {}))
        response = self.getresponse()
        return Answer(status_code=response.status, headers=response.headers, content=response.read())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask('GET', path, headers=headers)

    def post(self, path: str, document: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return self.send_json('POST', path, document, headers)

    def send_json(
        self, method: str, path: str, document: Any, headers: Mapping[str, str] | None = None
    ) -> Answer:
        content = json.dumps(document).encode()
        return self.ask(method, path, content, {'Content-Type': 'application/json', **(headers or {})})
