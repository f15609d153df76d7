from flask import request

from talelio_backend.shared.business.identity import AccessTokens, Identity, MissingAccessToken
from talelio_backend.shared.presentation.operation import require_described
from talelio_backend.shared.presentation.requests.environ_keys import ACCOUNT


def authenticate(tokens: AccessTokens) -> Identity:
    """Return the caller's identity (RFC 6750, section 2.1). The contract requires 403 for failures."""
    require_described('bearer', 'required', 'optional')
    header = request.headers.get('Authorization')
    if header is None:
        raise MissingAccessToken('No authorization header provided')
    scheme, *token = header.split(maxsplit=1) or ['']
    if not token:
        raise MissingAccessToken('No authorization token provided')
    identity = tokens.read(token[0].strip())
    if scheme.lower() != 'bearer':
        raise MissingAccessToken('No authorization token provided')
    request.environ[ACCOUNT] = identity.account_id
    return identity


def authenticate_if_given(tokens: AccessTokens) -> Identity | None:
    """Return the caller's identity, or None without a token. An invalid token raises."""
    return authenticate(tokens) if 'Authorization' in request.headers else None
