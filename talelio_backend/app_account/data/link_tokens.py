from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.email_change import REVOCATION_PERIOD
from talelio_backend.app_account.business.domain.errors import InvalidLink, InvalidVerificationToken
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import InvalidToken, SignedTokens

# By purpose. The mails repeat these lifetimes.
LIFETIMES = {
    LinkPurpose.VERIFICATION: timedelta(hours=24),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.EMAIL_CONFIRMATION: timedelta(hours=24),
    LinkPurpose.EMAIL_REVOCATION: REVOCATION_PERIOD,
}


class JwtLinkTokens:
    """See `app_account.business.ports.LinkTokens`."""

    def __init__(self, purpose: LinkPurpose, secret_key: str, previous_secret_key: str | None = None) -> None:
        self._tokens = SignedTokens(purpose, LIFETIMES[purpose], secret_key, previous_secret_key)
        # The API promises this message for verification links.
        self._error = InvalidVerificationToken if purpose is LinkPurpose.VERIFICATION else InvalidLink

    def issue(self, link: MailLink, now: datetime) -> str:
        return self._tokens.issue(str(link.account_id), now, {'email': link.email, 'serial': link.serial})

    def read(self, token: str) -> MailLink:
        try:
            account_id, claims = self._tokens.read(token)
        except InvalidToken as error:
            raise self._error() from error
        match claims:
            case {'email': str() as email, 'serial': int() as serial}:
                return MailLink(account_id, email, serial)
        raise self._error()
