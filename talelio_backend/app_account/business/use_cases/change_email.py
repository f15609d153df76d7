"""Changes an account's e-mail address. The new address confirms the change; the old one can revoke it."""
from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import REVOCATION_PERIOD, Account, EmailChange
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import EmailNotWhitelisted, InvalidLink
from talelio_backend.app_account.business.mails.account_mails import (
    EMAIL_ANNOUNCEMENT_MAIL,
    EMAIL_CONFIRMATION_MAIL,
)
from talelio_backend.app_account.business.ports import AccountUnitOfWork, LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases.own_account import check_own_password
from talelio_backend.app_account.business.use_cases.password_recovery import RESET_REQUEST
from talelio_backend.app_account.business.use_cases.shared_steps import (
    lock_by_email,
    lock_unchanged,
    replace_password,
)
from talelio_backend.app_account.business.use_cases.whitelist import admits
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.identity import Identity

# Not the hash of any password.
_UNUSABLE_HASH = '!'


def request(context: AccountContext, owner: Identity, *, email: EmailAddress, password: str) -> None:
    """Queue a confirmation to the new address and a notice to the old one.

    If another account has the new address, no confirmation is sent, and the caller does not learn why. Raises
    AccountGone, WrongPassword, EmailNotWhitelisted, ChangedMeanwhile.
    """
    seen = check_own_password(context, owner, password)
    now = context.now
    with context.uow as uow:
        if email.canonical is None or not admits(context, email.canonical):
            raise EmailNotWhitelisted()
        account = lock_unchanged(uow.accounts, seen)
        for earlier in uow.email_changes.of_account(account.id):
            if earlier.confirmed_at is None or now - earlier.confirmed_at > REVOCATION_PERIOD:
                uow.email_changes.delete(earlier)
        if email.canonical != account.email:
            change = EmailChange(
                account_id=account.id, old_email=account.email, new_email=email.canonical, requested_at=now
            )
            uow.email_changes.add(change)
            for kind in (EMAIL_CONFIRMATION_MAIL, EMAIL_ANNOUNCEMENT_MAIL):
                context.queue_mail(kind, account_id=account.id, change_id=change.id)
            context.record(EventKind.EMAIL_CHANGE_REQUESTED, account.id, by_account=True)
        uow.commit()


def show(context: AccountContext, purpose: LinkPurpose, token: str) -> EmailChange:
    """Raises InvalidLink."""
    link = context.ports.links[purpose].read(token)
    with context.uow as uow:
        return _change_of(uow, link)


def confirm(context: AccountContext, token: str) -> Account:
    """Raises InvalidLink, AccountDisabled, EmailTaken."""
    link = context.ports.links[LinkPurpose.EMAIL_CONFIRMATION].read(token)
    with context.uow as uow:
        # Every use case locks the account first.
        account = uow.accounts.get_for_update(link.account_id)
        change = _change_of(uow, link)
        if account is None or change.confirmed_at is not None or account.email != change.old_email:
            raise InvalidLink()
        account.check_may_log_in()
        change.confirmed_at = context.now
        account.change_email(change.new_email, context.now)
        uow.accounts.save(account)
        context.record(EventKind.EMAIL_CHANGED, account.id, by_account=True)
        uow.commit()
    return account


def revoke(context: AccountContext, token: str) -> Account:
    """Restore the old address and cancel this change and all later ones; earlier changes stay.

    The requester knew the password, so it is invalidated: all sessions end, and the old address receives a
    reset link. Raises InvalidLink, EmailTaken.
    """
    link = context.ports.links[LinkPurpose.EMAIL_REVOCATION].read(token)
    with context.uow as uow:
        account = uow.accounts.get_for_update(link.account_id)
        change = _change_of(uow, link)
        if account is None:
            raise InvalidLink()
        for each in uow.email_changes.of_account(account.id):
            # The owner of an earlier address may still need to revoke that change.
            if each.id >= change.id:
                uow.email_changes.delete(each)
        replace_password(context, account, _UNUSABLE_HASH)
        _free_address(context, change.old_email)
        account.change_email(change.old_email, context.now)
        uow.accounts.save(account)
        context.queue_mail(RESET_REQUEST, account_id=account.id)
        context.record(EventKind.EMAIL_CHANGE_REVOKED, account.id)
        uow.commit()
    return account


def _free_address(context: AccountContext, email: str) -> None:
    """Delete an unverified account with the address, if there is one."""
    accounts = context.uow.accounts
    account = lock_by_email(accounts, EmailAddress(email))
    if account is not None and not account.verified:
        context.record(EventKind.ACCOUNT_DELETED, account.id)
        accounts.delete(account)


def _change_of(uow: AccountUnitOfWork, link: MailLink) -> EmailChange:
    change = uow.email_changes.get(link.serial)
    if change is None or change.account_id != link.account_id:
        raise InvalidLink()
    return change
