from flask import request

from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.presentation.requests.access_log import request_id
from talelio_backend.shared.presentation.requests.ip_addresses import parse_address

# Characters. Enough to tell a browser and its version.
_USER_AGENT_LENGTH = 200


def request_actor() -> Actor:
    """Where the request at hand came from; the address is the one that `ForwardedFor` vouches for."""
    return Actor(
        address=peer_address(),
        user_agent=_shortened(request.headers.get('User-Agent', '')) or None,
        request_id=request_id.get(),
    )


def peer_address() -> str | None:
    """In the one way to write it; None where the request came from no address."""
    address = parse_address(request.remote_addr or '')
    return None if address is None else str(address)


def _shortened(user_agent: str) -> str:
    # It may hold what a terminal obeys, and the trail is read at one.
    return ''.join(c for c in user_agent if c.isprintable())[:_USER_AGENT_LENGTH].strip()
