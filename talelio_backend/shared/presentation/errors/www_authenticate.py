"""The `WWW-Authenticate` header (RFC 6750, section 3)."""
import re

from talelio_backend.shared.business.errors import BusinessError, Unauthenticated
from talelio_backend.shared.business.identity import AccessTokenRefused, MissingAccessToken

_REALM = 'Bearer realm="talelio_backend"'

# Characters that an error_description must not contain.
_UNQUOTABLE = re.compile(r'[^\x20\x21\x23-\x5b\x5d-\x7e]')


def www_authenticate(error: BusinessError) -> str | None:
    """Return a Bearer challenge, for which browsers open no login dialog."""
    if isinstance(error, AccessTokenRefused):
        description = _UNQUOTABLE.sub('?', error.message)
        return f'{_REALM}, error="invalid_token", error_description="{description}"'
    # RFC 6750 forbids an error code if the request had no credentials.
    return _REALM if isinstance(error, MissingAccessToken | Unauthenticated) else None
