"""Registers accounts and verifies their addresses."""
from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import (
    EmailNotWhitelisted,
    EmailTaken,
    NoRegisteredAccount,
)
from talelio_backend.app_account.business.mails.account_mails import VERIFICATION_MAIL
from talelio_backend.app_account.business.ports import AccountUnitOfWork, LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases.whitelist import admits
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.app_user.business.user import User, check_username
from talelio_backend.shared.audit.business.audit_trail import EventKind


def register(context: AccountContext, *, email: EmailAddress, password: str, username: str) -> Account:
    """Raises EmailNotWhitelisted, EmailTaken, UsernameTaken, InvalidUsername, WeakPassword."""
    address = email.canonical
    with context.uow:
        is_admitted = address is not None and admits(context, address)
    if address is None or not is_admitted:
        context.record_refusal(EventKind.REGISTRATION_REFUSED, None, {'reason': 'email not whitelisted'})
        raise EmailNotWhitelisted()
    with context.uow as uow:
        # A taken address is reported first but queried last. A concurrent registration takes both at once,
        # and must not show as a taken username only.
        username_taken = uow.users.get_by_username(username) is not None
        if uow.accounts.get_by_email(address) is not None:
            raise EmailTaken(email.given)
        if username_taken:
            raise UsernameTaken(username)
    user = User.create(username, context.now)
    # Hashing is slow, so it happens between the transactions.
    password_hash = context.hash_password(password, email=address, username=username)
    account = Account.register(address, password_hash, user, context.now)
    with context.uow as uow:
        try:
            uow.accounts.add(account)
        except EmailTaken:
            # The message repeats the address as the client sent it.
            raise EmailTaken(email.given) from None
        context.queue_mail(VERIFICATION_MAIL, account_id=account.id, serial=account.link_serial)
        context.record(EventKind.ACCOUNT_REGISTERED, account.id)
        uow.commit(account)
    return account


def verify(context: AccountContext, token: str) -> Account:
    """Raises InvalidVerificationToken, AccountAlreadyVerified, NoRegisteredAccount."""
    link = context.ports.links[LinkPurpose.VERIFICATION].read(token)
    with context.uow as uow:
        account = _account_of_link(uow, link)
        account.verify(context.now)
        context.record(EventKind.ACCOUNT_VERIFIED, account.id, by_account=True)
        uow.commit()
        return account


def claim(context: AccountContext, *, token: str, password: str, username: str | None) -> Account:
    """Verify an account that a stranger registered, and replace its password and, optionally, its username.

    Raises the errors of `verify`, and InvalidUsername, UsernameTaken, WeakPassword.
    """
    link = context.ports.links[LinkPurpose.VERIFICATION].read(token)
    with context.uow as uow:
        own_name = _account_of_link(uow, link).user.username
        chosen = username if username is not None else own_name
        if chosen.lower() != own_name.lower() and uow.users.get_by_username(chosen) is not None:
            raise UsernameTaken(chosen)
    check_username(chosen)
    password_hash = context.hash_password(password, email=link.email, username=chosen)
    with context.uow as uow:
        account = _account_of_link(uow, link)
        account.claim(password_hash, chosen, context.now)
        uow.accounts.save(account)
        context.record(EventKind.ACCOUNT_CLAIMED, account.id, by_account=True)
        uow.commit()
        return account


def _account_of_link(uow: AccountUnitOfWork, link: MailLink) -> Account:
    account = uow.accounts.get_for_update(link.account_id)
    if account is None or account.email != link.email:
        raise NoRegisteredAccount(link.email)
    account.check_link(link.serial)
    return account
