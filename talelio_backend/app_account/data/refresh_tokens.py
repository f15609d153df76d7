import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from talelio_backend.app_account.business.domain.errors import InvalidRefreshToken
from talelio_backend.app_account.business.domain.session import ABSOLUTE_LIFETIME, RefreshToken
from talelio_backend.app_account.data.jwt import InvalidToken, SignedTokens

_SECRET_BYTES = 32


class JwtRefreshTokens:
    """See `app_account.business.ports.RefreshTokens`.

    The successor of a secret is its HMAC. Computing it takes both the server's key and the secret, which the
    server does not store. The signature tells a replayed token, whose hash is gone, from a forged one.
    """

    def __init__(self, secret_key: str, previous_secret_key: str | None = None) -> None:
        self._tokens = SignedTokens('refresh', ABSOLUTE_LIFETIME, secret_key, previous_secret_key)

    def new_secret(self) -> str:
        return secrets.token_urlsafe(_SECRET_BYTES)

    def successors(self, secret: str) -> Sequence[str]:
        # During a key rotation, processes with the old key and with the new one run side by side.
        digests = (
            hmac.digest(key, b'successor of ' + secret.encode(), 'sha256') for key in self._tokens.keys
        )
        return [base64.urlsafe_b64encode(digest).rstrip(b'=').decode() for digest in digests]

    def issue(self, token: RefreshToken, now: datetime) -> str:
        return self._tokens.issue(str(token.session_id), now, {'jti': token.secret})

    def read(self, token: str) -> RefreshToken:
        try:
            session_id, claims = self._tokens.read(token)
        except InvalidToken as error:
            raise InvalidRefreshToken() from error
        match claims:
            case {'jti': str() as secret}:
                return RefreshToken(session_id, secret)
        raise InvalidRefreshToken()
