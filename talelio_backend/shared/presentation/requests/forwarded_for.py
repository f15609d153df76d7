"""Determines the client's address behind proxies."""
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from talelio_backend.shared.presentation.requests.client import parse_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ForwardedFor:
    """Takes the client's address from X-Forwarded-For in requests from a trusted proxy.

    Each of `hops` proxies in a row appends the address of its peer. Entries further left come from the
    client and cannot be trusted.
    """

    def __init__(
        self, app: 'WSGIApplication', proxies: Sequence[IPv4Network | IPv6Network], *, hops: int
    ) -> None:
        self._direct = app
        self._forwarded = ProxyFix(app, x_for=hops, x_proto=0, x_host=0)
        self._proxies = proxies
        # A process behind a proxy has few peers.
        self._trusts = lru_cache(maxsize=1024)(self._is_proxy)

    def __call__(self, environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        app = self._forwarded if self._trusts(environ.get('REMOTE_ADDR', '')) else self._direct
        return app(environ, start_response)

    def _is_proxy(self, peer: str) -> bool:
        address = parse_address(peer)
        return address is not None and any(address in network for network in self._proxies)
