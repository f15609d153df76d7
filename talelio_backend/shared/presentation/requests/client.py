"""Determines the client of a request and its address, also behind proxies."""
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from flask import request
from werkzeug.middleware.proxy_fix import ProxyFix

from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.presentation.requests.access_log import request_id

# Characters; enough for the browser and its version.
_USER_AGENT_LENGTH = 200


def request_actor() -> Actor:
    """Return the client of the current request, with the address from `ForwardedFor`."""
    return Actor(
        address=peer_address(),
        user_agent=_shortened(request.headers.get('User-Agent', '')) or None,
        request_id=request_id.get(),
    )


def peer_address() -> str | None:
    """Return the normalised address, or None for a Unix socket."""
    address = parse_address(request.remote_addr or '')
    return None if address is None else str(address)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse a peer's address. Return None for a Unix socket."""
    try:
        address = ip_address(text.partition('%')[0])
    except ValueError:
        return None
    # An IPv4 client of an IPv6 socket.
    return getattr(address, 'ipv4_mapped', None) or address


def _shortened(user_agent: str) -> str:
    # Strip control characters: operators read the audit trail in a terminal.
    return ''.join(c for c in user_agent if c.isprintable())[:_USER_AGENT_LENGTH].strip()


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
