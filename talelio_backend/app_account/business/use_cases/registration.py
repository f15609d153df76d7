"""Registers accounts and verifies their addresses."""
from collections.abc import Container
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import canonical_email
from talelio_backend.app_account.business.domain.errors import (
    EmailNotWhitelisted,
    EmailTaken,
    NoRegisteredAccount,
)
from talelio_backend.app_account.business.domain.password_policy import check_password
from talelio_backend.app_account.business.mails.account_mails import queue_verification_mail
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork, PasswordHasher
from talelio_backend.app_account.business.ports.links import LinkTokens, MailLink
from talelio_backend.app_account.business.use_cases.whitelist import admits
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.app_user.business.user import User, check_username
from talelio_backend.shared.audit.business.audit_trail import EventKind, record, record_refusal
from talelio_backend.shared.business.actor import Actor


def register(
    uow: AccountUnitOfWork,
    hasher: PasswordHasher,
    *,
    whitelist: Container[str],
    common_passwords: Container[str],
    email: str,
    password: str,
    username: str,
    actor: Actor,
    now: datetime,
) -> Account:
    """Raises EmailNotWhitelisted, EmailTaken, UsernameTaken, InvalidUsername, WeakPassword."""
    address = canonical_email(email)
    with uow:
        is_admitted = address is not None and admits(uow, whitelist, address, now)
    if address is None or not is_admitted:
        record_refusal(
            uow, EventKind.REGISTRATION_REFUSED, actor, now, details={'reason': 'email not whitelisted'}
        )
        raise EmailNotWhitelisted()
    with uow:
        # A taken address is reported first but queried last. A concurrent registration takes both at once,
        # and must not show as a taken username only.
        username_taken = uow.users.get_by_username(username) is not None
        if uow.accounts.get_by_email(address) is not None:
            raise EmailTaken(email)
        if username_taken:
            raise UsernameTaken(username)
    user = User.create(username, now)
    check_password(password, common_passwords=common_passwords, email=address, username=username)
    # Hashing is slow, so it happens between the transactions.
    account = Account.register(address, hasher.hash(password), user, now)
    with uow:
        try:
            uow.accounts.add(account)
        except EmailTaken:
            # The message repeats the address as the client sent it.
            raise EmailTaken(email) from None
        queue_verification_mail(uow.outbox, account, now)
        record(uow.audit, EventKind.ACCOUNT_REGISTERED, actor, now, account_id=account.id)
        uow.commit(account)
    return account


def verify(uow: AccountUnitOfWork, tokens: LinkTokens, *, token: str, actor: Actor, now: datetime) -> Account:
    """Raises InvalidVerificationToken, AccountAlreadyVerified, NoRegisteredAccount."""
    link = tokens.read(token)
    with uow:
        account = _account_of_link(uow, link)
        account.verify(now)
        record(uow.audit, EventKind.ACCOUNT_VERIFIED, actor, now, account_id=account.id, by_account=True)
        uow.commit()
        return account


def claim(
    uow: AccountUnitOfWork,
    hasher: PasswordHasher,
    tokens: LinkTokens,
    *,
    common_passwords: Container[str],
    token: str,
    password: str,
    username: str | None,
    actor: Actor,
    now: datetime,
) -> Account:
    """Verify an account that a stranger registered, and replace its password and, optionally, its username.

    Raises the errors of `verify`, and InvalidUsername, UsernameTaken, WeakPassword.
    """
    link = tokens.read(token)
    with uow:
        account = _account_of_link(uow, link)
        own_name = account.user.username
        if username is not None and username.lower() != own_name.lower():
            _check_username_free(uow, username)
    chosen = username if username is not None else own_name
    check_username(chosen)
    check_password(password, common_passwords=common_passwords, email=link.email, username=chosen)
    password_hash = hasher.hash(password)
    with uow:
        account = _account_of_link(uow, link)
        account.claim(password_hash, chosen, now)
        uow.accounts.save(account)
        record(uow.audit, EventKind.ACCOUNT_CLAIMED, actor, now, account_id=account.id, by_account=True)
        uow.commit()
        return account


def _check_username_free(uow: AccountUnitOfWork, username: str) -> None:
    if uow.users.get_by_username(username) is not None:
        raise UsernameTaken(username)


def _account_of_link(uow: AccountUnitOfWork, link: MailLink) -> Account:
    account = uow.accounts.get_for_update(link.account_id)
    if account is None or account.email != link.email:
        raise NoRegisteredAccount(link.email)
    account.check_link(link.serial)
    return account
