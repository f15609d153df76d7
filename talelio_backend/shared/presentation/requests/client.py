from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import request

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
