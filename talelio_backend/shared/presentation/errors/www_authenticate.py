"""`WWW-Authenticate`: how a client may prove who it is (RFC 6750, section 3)."""
import re

from talelio_backend.shared.business.errors import BusinessError, Unauthenticated
from talelio_backend.shared.business.identity import AccessTokenRefused, MissingAccessToken

_REALM = 'Bearer realm="talelio_backend"'

# What a description may not hold.
_UNQUOTABLE = re.compile(r'[^\x20\x21\x23-\x5b\x5d-\x7e]')


def www_authenticate(error: BusinessError) -> str | None:
    """Bearer always, at which no browser opens a dialog: it does so for the schemes that it can speak."""
    if isinstance(error, AccessTokenRefused):
        description = _UNQUOTABLE.sub('?', error.message)
        return f'{_REALM}, error="invalid_token", error_description="{description}"'
    # A request that brought nothing is told no error code.
    return _REALM if isinstance(error, MissingAccessToken | Unauthenticated) else None
