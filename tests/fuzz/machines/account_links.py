"""The tokens in mails, made without the wait for the mails; they are read by the real clock."""
from datetime import UTC, datetime

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import JwtLinkTokens, JwtRefreshTokens
from tests.fuzz.machines.account_model import ModelAccount, ModelChange
from tests.support.served_api import SECRET_KEY

REFRESH = JwtRefreshTokens(SECRET_KEY)
RESET, CONFIRMATION, REVOCATION = (
    JwtLinkTokens(purpose, SECRET_KEY)
    for purpose in (LinkPurpose.RESET, LinkPurpose.EMAIL_CONFIRMATION, LinkPurpose.EMAIL_REVOCATION)
)
_VERIFICATION = JwtLinkTokens(LinkPurpose.VERIFICATION, SECRET_KEY)


def verification(account: ModelAccount) -> str:
    return _VERIFICATION.issue(MailLink(account.id, account.email, 1), datetime.now(UTC))


def reset(account: ModelAccount) -> str:
    return RESET.issue(MailLink(account.id, account.email, account.epoch), datetime.now(UTC))


def confirmation(change: ModelChange) -> str:
    return CONFIRMATION.issue(MailLink(change.account.id, change.new, change.id), datetime.now(UTC))


def revocation(change: ModelChange) -> str:
    return REVOCATION.issue(MailLink(change.account.id, change.old, change.id), datetime.now(UTC))
