"""The operator's use cases, for the command line."""
from collections.abc import Iterator
from contextlib import contextmanager

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import AccountAlreadyVerified, EmailTaken
from talelio_backend.app_account.business.ports import AccountUnitOfWork
from talelio_backend.app_account.business.use_cases.shared_steps import (
    disable,
    find_by_email,
    lock_by_email,
    remove_account,
    replace_password,
)
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.errors import Conflict, NotFound


class NoSuchAccount(NotFound):
    template = "There is no account '{}'"


def create(context: AccountContext, *, email: str, username: str, password: str) -> Account:
    """Create a verified account. The whitelist does not apply.

    Raises Invalid, EmailTaken, UsernameTaken, InvalidUsername, WeakPassword.
    """
    address = EmailAddress(email).require_canonical()
    user = User.create(username, context.now)
    password_hash = context.hash_password(password, email=address, username=username)
    account = Account.register(address, password_hash, user, context.now)
    account.verified = True
    with context.uow as uow:
        try:
            uow.accounts.add(account)
        except EmailTaken:
            raise EmailTaken(email) from None
        context.record(EventKind.ACCOUNT_CREATED, account.id)
        uow.commit()
    return account


def verify(context: AccountContext, email: str) -> Account:
    """Raises NoSuchAccount, AccountAlreadyVerified."""
    with _changing(context, email) as account:
        if account.verified:
            raise AccountAlreadyVerified()
        account.verify(context.now)
        context.record(EventKind.ACCOUNT_VERIFIED, account.id)
    return account


def disable_account(context: AccountContext, email: str) -> Account:
    """End all sessions as well. Raises NoSuchAccount, Conflict."""
    with _changing(context, email) as account:
        if not disable(context, account):
            raise Conflict('The account is disabled already')
    return account


def enable_account(context: AccountContext, email: str) -> Account:
    """Raises NoSuchAccount, Conflict."""
    with _changing(context, email) as account:
        if account.disabled_at is None:
            raise Conflict('The account is not disabled')
        account.enable(context.now)
        context.record(EventKind.ACCOUNT_ENABLED, account.id)
    return account


def set_password(context: AccountContext, email: str, password: str) -> Account:
    """End all sessions as well. Raises NoSuchAccount, WeakPassword."""
    seen = show(context.uow, email)
    password_hash = context.hash_password(password, email=seen.email, username=seen.user.username)
    with _changing(context, email) as account:
        replace_password(context, account, password_hash)
        context.record(EventKind.PASSWORD_CHANGED, account.id)
    return account


def delete(context: AccountContext, email: str) -> Account:
    """Delete an account with its user's data, then the image files. Raises NoSuchAccount, Unavailable."""
    with _changing(context, email) as account:
        context.record(EventKind.ACCOUNT_DELETED, account.id)
        keys = remove_account(context, account)
    context.ports.free_files(account.user.id, keys)
    return account


def show(uow: AccountUnitOfWork, email: str) -> Account:
    """Raises NoSuchAccount."""
    with uow:
        account = find_by_email(uow.accounts, EmailAddress(email))
    if account is None:
        raise NoSuchAccount(email)
    return account


@contextmanager
def _changing(context: AccountContext, email: str) -> Iterator[Account]:
    """Lock the account, and commit at the end of the block. Raises NoSuchAccount."""
    with context.uow as uow:
        account = lock_by_email(uow.accounts, EmailAddress(email))
        if account is None:
            raise NoSuchAccount(email)
        yield account
        uow.commit()
