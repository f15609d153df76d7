"""What one does with one's own account. Whatever gives or takes access wants the password again."""
from collections.abc import Container
from datetime import datetime

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.account_mails import PASSWORD_CHANGED_MAIL, queue_account_mail
from talelio_backend.app_account.business.errors import WrongPassword
from talelio_backend.app_account.business.leaving import FreeFiles, remove_account
from talelio_backend.app_account.business.link_ports import EmailChangeUnitOfWork, LeavingUnitOfWork
from talelio_backend.app_account.business.locking import lock_unchanged
from talelio_backend.app_account.business.password_policy import check_password
from talelio_backend.app_account.business.password_replacement import replace_password
from talelio_backend.app_account.business.ports import AccountUnitOfWork, PasswordHasher
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.audit import EventKind, Origin, record, record_refusal
from talelio_backend.shared.business.identity import AccessTokens, Identity


def show(uow: AccountUnitOfWork, owner: Identity) -> Account:
    """Raises AccountGone."""
    with uow:
        account = uow.accounts.get(owner.account_id)
    if account is None:
        raise AccountGone()
    return account


def check_own_password(
    uow: AccountUnitOfWork,
    hasher: PasswordHasher,
    owner: Identity,
    password: str,
    origin: Origin,
    now: datetime,
) -> Account:
    """Raises AccountGone, WrongPassword."""
    account = show(uow, owner)
    if not hasher.verify(password, account.password_hash):
        record_refusal(uow, EventKind.PASSWORD_PROOF_FAILED, origin, now, account_id=account.id)
        raise WrongPassword()
    return account


def change_password(
    uow: EmailChangeUnitOfWork,
    hasher: PasswordHasher,
    tokens: AccessTokens,
    owner: Identity,
    *,
    common_passwords: Container[str],
    current: str,
    new: str,
    origin: Origin,
    now: datetime,
) -> str:
    """End all other sessions and return the access token that this one goes on with.

    Raises AccountGone, WrongPassword, WeakPassword, ChangedMeanwhile.
    """
    seen = check_own_password(uow, hasher, owner, current, origin, now)
    check_password(new, common_passwords=common_passwords, email=seen.email, username=seen.user.username)
    password_hash = hasher.hash(new)
    with uow:
        account = lock_unchanged(uow.accounts, seen)
        replace_password(uow, account, password_hash, now, staying_session=owner.session_id)
        queue_account_mail(uow.outbox, PASSWORD_CHANGED_MAIL, account.id, now)
        record(uow.audit, EventKind.PASSWORD_CHANGED, origin, now, account_id=account.id, by_account=True)
        uow.commit()
    return tokens.issue(Identity(account.id, owner.session_id, account.token_epoch), now)


def delete(
    uow: LeavingUnitOfWork,
    hasher: PasswordHasher,
    free_files: FreeFiles,
    owner: Identity,
    *,
    password: str,
    origin: Origin,
    now: datetime,
) -> None:
    """Delete the account, its user and all that the user brought, then the files of the pictures.

    Raises AccountGone, WrongPassword, ChangedMeanwhile.
    """
    seen = check_own_password(uow, hasher, owner, password, origin, now)
    with uow:
        account = lock_unchanged(uow.accounts, seen)
        keys = remove_account(uow, account)
        record(uow.audit, EventKind.ACCOUNT_DELETED, origin, now, account_id=account.id, by_account=True)
        uow.commit()
    free_files(account.user.id, keys)
