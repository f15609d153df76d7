"""The operator's use cases, for the command line."""
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import require_canonical_email
from talelio_backend.app_account.business.domain.errors import AccountAlreadyVerified, EmailTaken
from talelio_backend.app_account.business.domain.password_policy import check_password
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork, PasswordHasher
from talelio_backend.app_account.business.ports.links import OwnAccountUnitOfWork
from talelio_backend.app_account.business.use_cases.account_deletion import FreeFiles, remove_account
from talelio_backend.app_account.business.use_cases.account_disabling import disable
from talelio_backend.app_account.business.use_cases.locking import find_by_email, lock_by_email
from talelio_backend.app_account.business.use_cases.password_replacement import replace_password
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import Conflict, NotFound


class NoSuchAccount(NotFound):

    def __init__(self, email: str) -> None:
        super().__init__(f"There is no account '{email}'")


@dataclass(frozen=True, kw_only=True)
class Operator:
    """The arguments that these use cases share."""

    uow: OwnAccountUnitOfWork
    actor: Actor
    now: datetime


def create(
    by: Operator,
    hasher: PasswordHasher,
    *,
    common_passwords: Container[str],
    email: str,
    username: str,
    password: str,
) -> Account:
    """Create a verified account. The whitelist does not apply.

    Raises Invalid, EmailTaken, UsernameTaken, InvalidUsername, WeakPassword.
    """
    address = require_canonical_email(email)
    user = User.create(username, by.now)
    check_password(password, common_passwords=common_passwords, email=address, username=username)
    account = Account.register(address, hasher.hash(password), user, by.now)
    account.verified = True
    with by.uow as uow:
        try:
            uow.accounts.add(account)
        except EmailTaken:
            raise EmailTaken(email) from None
        record(uow.audit, EventKind.ACCOUNT_CREATED, by.actor, by.now, account_id=account.id)
        uow.commit()
    return account


def verify(by: Operator, email: str) -> Account:
    """Raises NoSuchAccount, AccountAlreadyVerified."""
    with by.uow as uow:
        account = _locked(uow, email)
        if account.verified:
            raise AccountAlreadyVerified()
        account.verify(by.now)
        record(uow.audit, EventKind.ACCOUNT_VERIFIED, by.actor, by.now, account_id=account.id)
        uow.commit()
    return account


def disable_account(by: Operator, email: str) -> Account:
    """End all sessions as well. Raises NoSuchAccount, Conflict."""
    with by.uow as uow:
        account = _locked(uow, email)
        if not disable(uow, account, by.actor, by.now):
            raise Conflict('The account is disabled already')
        uow.commit()
    return account


def enable_account(by: Operator, email: str) -> Account:
    """Raises NoSuchAccount, Conflict."""
    with by.uow as uow:
        account = _locked(uow, email)
        if account.disabled_at is None:
            raise Conflict('The account is not disabled')
        account.enable(by.now)
        record(uow.audit, EventKind.ACCOUNT_ENABLED, by.actor, by.now, account_id=account.id)
        uow.commit()
    return account


def set_password(
    by: Operator, hasher: PasswordHasher, *, common_passwords: Container[str], email: str, password: str
) -> Account:
    """End all sessions as well. Raises NoSuchAccount, WeakPassword."""
    seen = show(by.uow, email)
    check_password(password, common_passwords=common_passwords, email=seen.email, username=seen.user.username)
    password_hash = hasher.hash(password)
    with by.uow as uow:
        account = _locked(uow, email)
        replace_password(uow, account, password_hash, by.now)
        record(uow.audit, EventKind.PASSWORD_CHANGED, by.actor, by.now, account_id=account.id)
        uow.commit()
    return account


def delete(by: Operator, free_files: FreeFiles, email: str) -> Account:
    """Delete an account with its user's data, then the image files. Raises NoSuchAccount, Unavailable."""
    with by.uow as uow:
        account = _locked(uow, email)
        record(uow.audit, EventKind.ACCOUNT_DELETED, by.actor, by.now, account_id=account.id)
        keys = remove_account(uow, account)
        uow.commit()
    free_files(account.user.id, keys)
    return account


def show(uow: AccountUnitOfWork, email: str) -> Account:
    """Raises NoSuchAccount."""
    with uow:
        account = find_by_email(uow.accounts, email)
    if account is None:
        raise NoSuchAccount(email)
    return account


def find_account_id(uow: AccountUnitOfWork, email: str) -> int | None:
    try:
        return show(uow, email).id
    except NoSuchAccount:
        return None


def list_all(uow: AccountUnitOfWork) -> Sequence[Account]:
    """Oldest first."""
    with uow:
        return uow.accounts.all()


def _locked(uow: AccountUnitOfWork, email: str) -> Account:
    account = lock_by_email(uow.accounts, email)
    if account is None:
        raise NoSuchAccount(email)
    return account
