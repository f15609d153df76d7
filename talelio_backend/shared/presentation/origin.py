from ipaddress import ip_address

from flask import request

from talelio_backend.shared.business.audit import Origin
from talelio_backend.shared.presentation.request_log import request_id

# Characters. Enough to tell a browser and its version.
_USER_AGENT_LENGTH = 200


def request_origin() -> Origin:
    """Where the request at hand came from; the address is the one that `ForwardedFor` vouches for."""
    return Origin(
        address=plain_address(request.remote_addr or ''),
        user_agent=_shortened(request.headers.get('User-Agent', '')) or None,
        request_id=request_id.get(),
    )


def plain_address(text: str) -> str | None:
    """An address in the one way to write it, or None where it is none: a socket file has no address."""
    try:
        address = ip_address(text.partition('%')[0])
    except ValueError:
        return None
    # What an IPv6 socket says of a client that came by IPv4.
    return str(getattr(address, 'ipv4_mapped', None) or address)


def _shortened(user_agent: str) -> str:
    # It may hold what a terminal obeys, and the trail is read at one.
    return ''.join(c for c in user_agent if c.isprintable())[:_USER_AGENT_LENGTH].strip()
