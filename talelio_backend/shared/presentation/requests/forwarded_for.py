"""Where a request that came through proxies began."""
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from talelio_backend.shared.presentation.requests.ip_addresses import parse_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ForwardedFor:
    """Takes the client's address from X-Forwarded-For, in requests that a trusted proxy hands over.

    `hops` proxies stand in a row and each appends the address that it was called from, so what is further
    left was written by the client, and may be anything.
    """

    def __init__(
        self, app: 'WSGIApplication', proxies: Sequence[IPv4Network | IPv6Network], *, hops: int
    ) -> None:
        self._direct = app
        self._forwarded = ProxyFix(app, x_for=hops, x_proto=0, x_host=0)
        self._proxies = proxies
        # The peers of a process behind a proxy are few.
        self._trusts = lru_cache(maxsize=1024)(self._is_proxy)

    def __call__(self, environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        app = self._forwarded if self._trusts(environ.get('REMOTE_ADDR', '')) else self._direct
        return app(environ, start_response)

    def _is_proxy(self, peer: str) -> bool:
        address = parse_address(peer)
        return address is not None and any(address in network for network in self._proxies)
