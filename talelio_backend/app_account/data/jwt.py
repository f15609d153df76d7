"""JSON Web Tokens, with a separate key, `typ` and audience for each purpose.

They follow the JWT Best Current Practices (RFC 8725): one fixed algorithm, explicit typing (3.11), mutually
exclusive validation rules for each kind of token (3.12), every claim required and checked.
"""
import base64
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

import jwt

from talelio_backend.app_account.business.domain.account import REVOCATION_PERIOD
from talelio_backend.app_account.business.domain.errors import (
    InvalidLink,
    InvalidRefreshToken,
    InvalidVerificationToken,
)
from talelio_backend.app_account.business.domain.session import ABSOLUTE_LIFETIME, RefreshToken
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.business.identity import Identity, InvalidAccessToken

_ALGORITHM = 'HS256'
_ISSUER = 'talelio_backend'
_REQUIRED_CLAIMS = ['iss', 'aud', 'sub', 'iat', 'exp']

ACCESS_TOKEN_LIFETIME = timedelta(minutes=30)
# By purpose. The mails repeat these lifetimes.
LIFETIMES = {
    LinkPurpose.VERIFICATION: timedelta(hours=24),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.EMAIL_CONFIRMATION: timedelta(hours=24),
    LinkPurpose.EMAIL_REVOCATION: REVOCATION_PERIOD,
}

# The clocks of two hosts may differ by so much. A token still ends on time.
LEEWAY = timedelta(minutes=1)
# Seconds, in the year 9999.
_LATEST = 253_402_300_799

_SECRET_BYTES = 32


@dataclass(frozen=True)
class SignedTokens:
    """Issues and reads the tokens of one purpose, such as `access`."""

    purpose: str
    lifetime: timedelta
    # Gets PyJWT's message, on which clients rely for access tokens.
    error: Callable[[str], BusinessError]
    # The first one signs. The others verify tokens that were issued before the key was rotated.
    secret_keys: Sequence[str | None]

    @property
    def _type(self) -> str:
        return f'{self.purpose}+jwt'

    @property
    def _audience(self) -> str:
        return f'{_ISSUER}:{self.purpose}'

    @property
    def keys(self) -> tuple[bytes, ...]:
        return tuple(self._derived(secret) for secret in self.secret_keys if secret is not None)

    def _derived(self, secret: str) -> bytes:
        # One block of HKDF-Expand (RFC 5869, section 2.3). The secret key is uniformly random already.
        return hmac.digest(secret.encode(), f'{self._audience}\x01'.encode(), 'sha256')

    def issue(self, subject: str, now: datetime, claims: Mapping[str, Any] | None = None) -> str:
        return jwt.encode(
            {
                **(claims or {}),
                'iss': _ISSUER,
                'aud': self._audience,
                'sub': subject,
                'iat': int(now.timestamp()),
                'exp': int((now + self.lifetime).timestamp()),
            },
            self.keys[0],
            algorithm=_ALGORITHM,
            headers={'typ': self._type},
        )

    def read(self, token: str) -> tuple[int, dict[str, Any]]:
        """Return the subject, which is the id of a row, and the verified claims. Raises `error`."""
        try:
            decoded = self._decode(token)
        except jwt.PyJWTError as error:
            raise self.error(str(error)) from error
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            # PyJWT does not catch these errors of malformed or oversized claims.
            raise self.error('Invalid token') from error
        header: dict[str, Any] = decoded['header']
        if header.get('typ') != self._type:
            raise self.error('Invalid token type')
        if 'crit' in header:
            # No extension is supported (RFC 7515, section 4.1.11).
            raise self.error('Unsupported critical header')
        claims: dict[str, Any] = decoded['payload']
        # PyJWT takes whatever `int` takes.
        if not all(is_integer(claims[name]) and 0 <= claims[name] <= _LATEST for name in ('iat', 'exp')):
            raise self.error('Invalid time')
        if claims['exp'] <= time.time():
            raise self.error('Signature has expired')
        subject: str = claims['sub']
        if not (subject.isascii() and subject.isdigit() and len(subject) <= 10 and int(subject) < 2**31):
            raise self.error('Invalid subject')
        return int(subject), claims

    def _decode(self, token: str) -> dict[str, Any]:
        *earlier, last = self.keys
        for key in earlier:
            with suppress(jwt.InvalidSignatureError):
                return self._decode_with(key, token)
        return self._decode_with(last, token)

    def _decode_with(self, key: bytes, token: str) -> dict[str, Any]:
        return jwt.decode_complete(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=self._audience,
            issuer=_ISSUER,
            leeway=LEEWAY,
            options={
                'require': _REQUIRED_CLAIMS,
                'strict_aud': True
            },
        )


def is_integer(claim: object) -> bool:
    """Exclude booleans, which are integers in Python."""
    return isinstance(claim, int) and not isinstance(claim, bool)


class JwtAccessTokens:
    """Checks tokens without checking revocation. See `shared.business.identity.AccessTokens`."""

    def __init__(self, *secret_keys: str | None) -> None:
        self._tokens = SignedTokens('access', ACCESS_TOKEN_LIFETIME, InvalidAccessToken, secret_keys)

    def issue(self, identity: Identity, now: datetime) -> str:
        session = {} if identity.session_id is None else {'sid': identity.session_id}
        return self._tokens.issue(str(identity.account_id), now, {'epoch': identity.epoch, **session})

    def read(self, token: str) -> Identity:
        account_id, claims = self._tokens.read(token)
        # Tokens of a release without sessions have neither.
        session_id, epoch = claims.get('sid'), claims.get('epoch', 0)
        if not (session_id is None
                or is_integer(session_id) and 0 < session_id < 2**31) or not is_integer(epoch):
            raise InvalidAccessToken('Invalid session')
        return Identity(account_id, session_id, epoch)


class JwtLinkTokens:
    """See `app_account.business.ports.LinkTokens`."""

    def __init__(self, purpose: LinkPurpose, *secret_keys: str | None) -> None:
        # The API promises this message for verification links.
        self._error = InvalidVerificationToken if purpose is LinkPurpose.VERIFICATION else InvalidLink
        self._tokens = SignedTokens(purpose, LIFETIMES[purpose], lambda _: self._error(), secret_keys)

    def issue(self, link: MailLink, now: datetime) -> str:
        return self._tokens.issue(str(link.account_id), now, {'email': link.email, 'serial': link.serial})

    def read(self, token: str) -> MailLink:
        account_id, claims = self._tokens.read(token)
        match claims:
            case {'email': str() as email, 'serial': int() as serial}:
                return MailLink(account_id, email, serial)
        raise self._error()


class JwtRefreshTokens:
    """See `app_account.business.ports.RefreshTokens`.

    The successor of a secret is its HMAC. Computing it takes both the server's key and the secret, which the
    server does not store. The signature tells a replayed token, whose hash is gone, from a forged one.
    """

    def __init__(self, *secret_keys: str | None) -> None:
        self._tokens = SignedTokens(
            'refresh', ABSOLUTE_LIFETIME, lambda _: InvalidRefreshToken(), secret_keys
        )

    def new_secret(self) -> str:
        return token_urlsafe(_SECRET_BYTES)

    def successors(self, secret: str) -> Sequence[str]:
        # During a key rotation, processes with the old key and with the new one run side by side.
        digests = (
            hmac.digest(key, b'successor of ' + secret.encode(), 'sha256') for key in self._tokens.keys
        )
        return [base64.urlsafe_b64encode(digest).rstrip(b'=').decode() for digest in digests]

    def issue(self, token: RefreshToken, now: datetime) -> str:
        return self._tokens.issue(str(token.session_id), now, {'jti': token.secret})

    def read(self, token: str) -> RefreshToken:
        session_id, claims = self._tokens.read(token)
        match claims:
            case {'jti': str() as secret}:
                return RefreshToken(session_id, secret)
        raise InvalidRefreshToken()
