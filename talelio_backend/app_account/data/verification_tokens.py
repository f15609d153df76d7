from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.errors import InvalidVerificationToken
from talelio_backend.app_account.business.ports.accounts import VerificationLink
from talelio_backend.app_account.data.jwt import InvalidToken, SignedTokens, subject_id

VERIFICATION_TOKEN_LIFETIME = timedelta(hours=24)


class JwtVerificationTokens:
    """See `app_account.business.ports.accounts.VerificationTokens`."""

    def __init__(self, secret_key: str, previous_secret_key: str | None = None) -> None:
        self._tokens = SignedTokens(
            secret_key=secret_key,
            previous_secret_key=previous_secret_key,
            purpose='verification',
            lifetime=VERIFICATION_TOKEN_LIFETIME,
        )

    def issue(self, link: VerificationLink, now: datetime) -> str:
        claims = {'email': link.email, 'serial': link.serial}
        return self._tokens.issue(str(link.account_id), now, claims)

    def read(self, token: str) -> VerificationLink:
        try:
            claims = self._tokens.read(token)
            account_id = subject_id(claims)
        except InvalidToken as error:
            raise InvalidVerificationToken() from error
        match claims:
            case {'email': str() as email, 'serial': int() as serial}:
                return VerificationLink(account_id, email, serial)
        raise InvalidVerificationToken()
