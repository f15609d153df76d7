"""Resets forgotten passwords.

A request does the same work for every address, so that it does not reveal who has an account: it adds one
row to the outbox, and only the mail relay looks at the account.
"""
from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import InvalidLink
from talelio_backend.app_account.business.mails.account_mails import PASSWORD_CHANGED_MAIL
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases.shared_steps import find_by_email, replace_password
from talelio_backend.shared.audit.business.audit_trail import EventKind

# Outbox rows of these kinds make the relay decide whether to send a mail.
RESET_REQUEST = 'password_reset_request'
VERIFICATION_REQUEST = 'verification_request'

_EVENTS = {
    RESET_REQUEST: EventKind.PASSWORD_RESET_REQUESTED,
    VERIFICATION_REQUEST: EventKind.VERIFICATION_RENEWED,
}

# Ids start at 1.
_NO_ACCOUNT = 0


def request_by_mail(context: AccountContext, kind: str, email: EmailAddress) -> None:
    """Do the same work whether the account exists or not."""
    with context.uow as uow:
        account = find_by_email(uow.accounts, email)
        account_id = None if account is None else account.id
        context.queue_mail(kind, account_id=account_id or _NO_ACCOUNT)
        context.record(_EVENTS[kind], account_id)
        uow.commit()


def show_reset(context: AccountContext, token: str) -> Account:
    """Return the account whose password the link may reset. Raises InvalidLink."""
    link = context.ports.links[LinkPurpose.RESET].read(token)
    with context.uow as uow:
        return _checked(uow.accounts.get(link.account_id), link)


def reset_password(context: AccountContext, *, token: str, password: str) -> Account:
    """Set a new password and end all sessions. Following the link also verifies the address.

    Raises InvalidLink, WeakPassword.
    """
    link = context.ports.links[LinkPurpose.RESET].read(token)
    seen = show_reset(context, token)
    password_hash = context.hash_password(password, email=seen.email, username=seen.user.username)
    with context.uow as uow:
        account = _checked(uow.accounts.get_for_update(link.account_id), link)
        replace_password(context, account, password_hash)
        account.verified = True
        context.queue_mail(PASSWORD_CHANGED_MAIL, account_id=account.id)
        context.record(EventKind.PASSWORD_RESET, account.id, by_account=True)
        uow.commit()
        return account


def _checked(account: Account | None, link: MailLink) -> Account:
    """Raises InvalidLink."""
    # Each password change increments the epoch, so a link works once.
    if account is None or (account.email, account.token_epoch) != (link.email, link.serial):
        raise InvalidLink()
    return account
