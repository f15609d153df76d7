from flask import request

from talelio_backend.shared.business.audit import Origin
from talelio_backend.shared.presentation.addresses import parse_address
from talelio_backend.shared.presentation.request_log import request_id

# Characters. Enough to tell a browser and its version.
_USER_AGENT_LENGTH = 200


def request_origin() -> Origin:
    """Where the request at hand came from; the address is the one that `ForwardedFor` vouches for."""
    return Origin(
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
