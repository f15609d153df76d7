"""E-mail change use cases on fakes."""
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account, EmailChange
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases import change_email
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from talelio_backend.shared.business.identity import Identity
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import EMAIL, NOW, PASSWORD, context
from tests.support.served_api import SECRET_KEY

CONFIRMATION = JwtLinkTokens(LinkPurpose.EMAIL_CONFIRMATION, SECRET_KEY)
REVOCATION = JwtLinkTokens(LinkPurpose.EMAIL_REVOCATION, SECRET_KEY)
SECOND, THIRD = 'second@example.com', 'third@example.com'


def request(
    uow: FakeUnitOfWork,
    account: Account,
    email: str = SECOND,
    *,
    password: str = PASSWORD,
    now: datetime = NOW
) -> None:
    arguments = context(uow, now, whitelist={EMAIL, SECOND, THIRD})
    change_email.request(arguments, Identity(account.id), email=EmailAddress(email), password=password)


def request_change(
    uow: FakeUnitOfWork, account: Account, email: str = SECOND, *, now: datetime = NOW
) -> EmailChange:
    request(uow, account, email, now=now)
    return max(uow.store.email_changes.values(), key=lambda change: change.id)


def confirm(uow: FakeUnitOfWork, change: EmailChange, *, now: datetime = NOW) -> Account:
    token = CONFIRMATION.issue(MailLink(change.account_id, change.new_email, change.id), NOW)
    return change_email.confirm(context(uow, now), token)


def revoke(uow: FakeUnitOfWork, change: EmailChange, *, now: datetime = NOW) -> Account:
    token = REVOCATION.issue(MailLink(change.account_id, change.old_email, change.id), NOW)
    return change_email.revoke(context(uow, now), token)
