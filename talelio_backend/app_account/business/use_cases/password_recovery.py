"""Resets forgotten passwords.

A request does the same work for every address, so that it does not reveal who has an account: it adds one
row to the outbox, and only the mail relay looks at the account.
"""
from collections.abc import Container
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import InvalidLink
from talelio_backend.app_account.business.domain.password_policy import check_password
from talelio_backend.app_account.business.mails.account_mails import PASSWORD_CHANGED_MAIL, queue_account_mail
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork, PasswordHasher
from talelio_backend.app_account.business.ports.links import EmailChangeUnitOfWork, LinkTokens, MailLink
from talelio_backend.app_account.business.use_cases.locking import find_by_email
from talelio_backend.app_account.business.use_cases.password_replacement import replace_password
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.mail.business.outbox import OutboxMail

# Outbox rows of these kinds make the relay decide whether to send a mail.
RESET_REQUEST = 'password_reset_request'
VERIFICATION_REQUEST = 'verification_request'

_EVENTS = {
    RESET_REQUEST: EventKind.PASSWORD_RESET_REQUESTED,
    VERIFICATION_REQUEST: EventKind.VERIFICATION_RENEWED,
}

# Ids start at 1.
_NO_ACCOUNT = 0


def request_by_mail(uow: AccountUnitOfWork, kind: str, *, email: str, actor: Actor, now: datetime) -> None:
    """Do the same work whether the account exists or not."""
    with uow:
        account = find_by_email(uow.accounts, email)
        account_id = None if account is None else account.id
        uow.outbox.add(OutboxMail.queue(kind, {'account_id': account_id or _NO_ACCOUNT}, now))
        record(uow.audit, _EVENTS[kind], actor, now, account_id=account_id)
        uow.commit()


def show_reset(uow: AccountUnitOfWork, tokens: LinkTokens, *, token: str) -> Account:
    """Return the account whose password the link may reset. Raises InvalidLink."""
    link = tokens.read(token)
    with uow:
        return _checked(uow.accounts.get(link.account_id), link)


def reset_password(
    uow: EmailChangeUnitOfWork,
    hasher: PasswordHasher,
    tokens: LinkTokens,
    *,
    common_passwords: Container[str],
    token: str,
    password: str,
    actor: Actor,
    now: datetime,
) -> Account:
    """Set a new password and end all sessions. Following the link also verifies the address.

    Raises InvalidLink, WeakPassword.
    """
    link = tokens.read(token)
    seen = show_reset(uow, tokens, token=token)
    check_password(password, common_passwords=common_passwords, email=seen.email, username=seen.user.username)
    password_hash = hasher.hash(password)
    with uow:
        account = _checked(uow.accounts.get_for_update(link.account_id), link)
        replace_password(uow, account, password_hash, now)
        account.verified = True
        queue_account_mail(uow.outbox, PASSWORD_CHANGED_MAIL, account.id, now)
        record(uow.audit, EventKind.PASSWORD_RESET, actor, now, account_id=account.id, by_account=True)
        uow.commit()
        return account


def _checked(account: Account | None, link: MailLink) -> Account:
    """Raises InvalidLink."""
    # Each password change increments the epoch, so a link works once.
    if account is None or (account.email, account.token_epoch) != (link.email, link.serial):
        raise InvalidLink()
    return account
