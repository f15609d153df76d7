from flask import request

from talelio_backend.shared.business.identity import AccessTokens, Identity, MissingAccessToken
from talelio_backend.shared.presentation.operation import require_described
from talelio_backend.shared.presentation.requests.environ_keys import ACCOUNT


def authenticate(tokens: AccessTokens) -> Identity:
    """Return who makes the request (RFC 6750, section 2.1; the faults are the contract's 403s)."""
    require_described('bearer', 'required', 'optional')
    header = request.headers.get('Authorization')
    if header is None:
        raise MissingAccessToken('No authorization header provided')
    scheme, *token = header.split(maxsplit=1) or ['']
    if not token:
        raise MissingAccessToken('No authorization token provided')
    identity = tokens.read(token[0].strip())
    if scheme.lower() != 'bearer':
        # A good token, but not presented as one.
        raise MissingAccessToken('No authorization token provided')
    request.environ[ACCOUNT] = identity.account_id
    return identity


def authenticate_if_given(tokens: AccessTokens) -> Identity | None:
    """Return who makes the request, None for a stranger. A token that is given must be a good one."""
    return authenticate(tokens) if 'Authorization' in request.headers else None
