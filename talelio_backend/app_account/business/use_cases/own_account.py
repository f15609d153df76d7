"""The owner's use cases. Those that change access require the password again."""
from collections.abc import Container
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import WrongPassword
from talelio_backend.app_account.business.domain.password_policy import check_password
from talelio_backend.app_account.business.mails.account_mails import PASSWORD_CHANGED_MAIL, queue_account_mail
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork, PasswordHasher
from talelio_backend.app_account.business.ports.links import AccountDeletionUnitOfWork, EmailChangeUnitOfWork
from talelio_backend.app_account.business.use_cases.account_deletion import FreeFiles, remove_account
from talelio_backend.app_account.business.use_cases.locking import lock_unchanged
from talelio_backend.app_account.business.use_cases.password_replacement import replace_password
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.audit.business.audit_trail import EventKind, record, record_refusal
from talelio_backend.shared.business.actor import Actor
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
    actor: Actor,
    now: datetime,
) -> Account:
    """Raises AccountGone, WrongPassword."""
    account = show(uow, owner)
    if not hasher.verify(password, account.password_hash):
        record_refusal(uow, EventKind.PASSWORD_PROOF_FAILED, actor, now, account_id=account.id)
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
    actor: Actor,
    now: datetime,
) -> str:
    """End all other sessions and return a new access token for this one.

    Raises AccountGone, WrongPassword, WeakPassword, ChangedMeanwhile.
    """
    seen = check_own_password(uow, hasher, owner, current, actor, now)
    check_password(new, common_passwords=common_passwords, email=seen.email, username=seen.user.username)
    password_hash = hasher.hash(new)
    with uow:
        account = lock_unchanged(uow.accounts, seen)
        replace_password(uow, account, password_hash, now, keep_session=owner.session_id)
        queue_account_mail(uow.outbox, PASSWORD_CHANGED_MAIL, account.id, now)
        record(uow.audit, EventKind.PASSWORD_CHANGED, actor, now, account_id=account.id, by_account=True)
        uow.commit()
    return tokens.issue(Identity(account.id, owner.session_id, account.token_epoch), now)


def delete(
    uow: AccountDeletionUnitOfWork,
    hasher: PasswordHasher,
    free_files: FreeFiles,
    owner: Identity,
    *,
    password: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Delete the account with its user's data, then the image files.

    Raises AccountGone, WrongPassword, ChangedMeanwhile.
    """
    seen = check_own_password(uow, hasher, owner, password, actor, now)
    with uow:
        account = lock_unchanged(uow.accounts, seen)
        keys = remove_account(uow, account)
        record(uow.audit, EventKind.ACCOUNT_DELETED, actor, now, account_id=account.id, by_account=True)
        uow.commit()
    free_files(account.user.id, keys)
