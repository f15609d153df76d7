from flask import request

from talelio_backend.shared.business.errors import Forbidden
from talelio_backend.shared.business.identity import AccessTokens, Identity


def authenticate(tokens: AccessTokens) -> Identity:
    """Return who makes the request (RFC 6750, section 2.1; the faults are the contract's 403s)."""
    header = request.headers.get('Authorization')
    if header is None:
        raise Forbidden('No authorization header provided')
    scheme, _, token = header.strip().partition(' ')
    if scheme.lower() != 'bearer' or not token.strip():
        raise Forbidden('No authorization token provided')
    return tokens.read(token.strip())
