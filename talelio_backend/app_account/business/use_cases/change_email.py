"""Changes an account's e-mail address. The new address confirms the change; the old one can revoke it."""
from collections.abc import Container
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import canonical_email
from talelio_backend.app_account.business.domain.email_change import REVOCATION_PERIOD, EmailChange
from talelio_backend.app_account.business.domain.errors import EmailNotWhitelisted, InvalidLink
from talelio_backend.app_account.business.mails.account_mails import (
    EMAIL_ANNOUNCEMENT_MAIL,
    EMAIL_CONFIRMATION_MAIL,
    queue_change_mail,
)
from talelio_backend.app_account.business.ports.accounts import PasswordHasher
from talelio_backend.app_account.business.ports.links import EmailChangeUnitOfWork, LinkTokens, MailLink
from talelio_backend.app_account.business.use_cases.locking import lock_by_email, lock_unchanged
from talelio_backend.app_account.business.use_cases.own_account import check_own_password
from talelio_backend.app_account.business.use_cases.password_recovery import RESET_REQUEST
from talelio_backend.app_account.business.use_cases.password_replacement import replace_password
from talelio_backend.app_account.business.use_cases.whitelist import admits
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.mail.business.outbox import OutboxMail

# Not the hash of any password.
_UNUSABLE_HASH = '!'


def request(
    uow: EmailChangeUnitOfWork,
    hasher: PasswordHasher,
    owner: Identity,
    *,
    whitelist: Container[str],
    email: str,
    password: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Queue a confirmation to the new address and a notice to the old one.

    If another account has the new address, no confirmation is sent, and the caller does not learn why. Raises
    AccountGone, WrongPassword, EmailNotWhitelisted, ChangedMeanwhile.
    """
    seen = check_own_password(uow, hasher, owner, password, actor, now)
    address = canonical_email(email)
    with uow:
        if address is None or not admits(uow, whitelist, address, now):
            raise EmailNotWhitelisted()
        account = lock_unchanged(uow.accounts, seen)
        for earlier in uow.email_changes.of_account(account.id):
            if earlier.confirmed_at is None or now - earlier.confirmed_at > REVOCATION_PERIOD:
                uow.email_changes.delete(earlier)
        if address != account.email:
            change = EmailChange(
                account_id=account.id, old_email=account.email, new_email=address, requested_at=now
            )
            uow.email_changes.add(change)
            queue_change_mail(uow.outbox, EMAIL_CONFIRMATION_MAIL, change, now)
            queue_change_mail(uow.outbox, EMAIL_ANNOUNCEMENT_MAIL, change, now)
            kind = EventKind.EMAIL_CHANGE_REQUESTED
            record(uow.audit, kind, actor, now, account_id=account.id, by_account=True)
        uow.commit()


def show(uow: EmailChangeUnitOfWork, tokens: LinkTokens, *, token: str) -> EmailChange:
    """Raises InvalidLink."""
    link = tokens.read(token)
    with uow:
        return _change_of(uow, link)


def confirm(
    uow: EmailChangeUnitOfWork, tokens: LinkTokens, *, token: str, actor: Actor, now: datetime
) -> Account:
    """Raises InvalidLink, AccountDisabled, EmailTaken."""
    link = tokens.read(token)
    with uow:
        # Every use case locks the account first.
        account = uow.accounts.get_for_update(link.account_id)
        change = _change_of(uow, link)
        if account is None or change.confirmed_at is not None or account.email != change.old_email:
            raise InvalidLink()
        account.check_may_log_in()
        change.confirmed_at = now
        account.change_email(change.new_email, now)
        uow.accounts.save(account)
        record(uow.audit, EventKind.EMAIL_CHANGED, actor, now, account_id=account.id, by_account=True)
        uow.commit()
    return account


def revoke(
    uow: EmailChangeUnitOfWork, tokens: LinkTokens, *, token: str, actor: Actor, now: datetime
) -> Account:
    """Restore the old address and cancel this change and all later ones; earlier changes stay.

    The requester knew the password, so it is invalidated: all sessions end, and the old address receives a
    reset link. Raises InvalidLink, EmailTaken.
    """
    link = tokens.read(token)
    with uow:
        account = uow.accounts.get_for_update(link.account_id)
        change = _change_of(uow, link)
        if account is None:
            raise InvalidLink()
        for each in uow.email_changes.of_account(account.id):
            # The owner of an earlier address may still need to revoke that change.
            if each.id >= change.id:
                uow.email_changes.delete(each)
        replace_password(uow, account, _UNUSABLE_HASH, now)
        _free_address(uow, change.old_email, actor, now)
        account.change_email(change.old_email, now)
        uow.accounts.save(account)
        uow.outbox.add(OutboxMail.queue(RESET_REQUEST, {'account_id': account.id}, now))
        record(uow.audit, EventKind.EMAIL_CHANGE_REVOKED, actor, now, account_id=account.id)
        uow.commit()
    return account


def _free_address(uow: EmailChangeUnitOfWork, email: str, actor: Actor, now: datetime) -> None:
    """Delete an unverified account with the address, if there is one."""
    account = lock_by_email(uow.accounts, email)
    if account is not None and not account.verified:
        record(uow.audit, EventKind.ACCOUNT_DELETED, actor, now, account_id=account.id)
        uow.accounts.delete(account)


def _change_of(uow: EmailChangeUnitOfWork, link: MailLink) -> EmailChange:
    change = uow.email_changes.get(link.serial)
    if change is None or change.account_id != link.account_id:
        raise InvalidLink()
    return change
