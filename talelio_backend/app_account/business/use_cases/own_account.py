"""The owner's use cases. Those that change access require the password again."""
from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import WrongPassword
from talelio_backend.app_account.business.mails.account_mails import PASSWORD_CHANGED_MAIL
from talelio_backend.app_account.business.ports import AccountUnitOfWork
from talelio_backend.app_account.business.use_cases.shared_steps import (
    lock_unchanged,
    remove_account,
    replace_password,
)
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.identity import Identity


def show(uow: AccountUnitOfWork, owner: Identity) -> Account:
    """Raises AccountGone."""
    with uow:
        account = uow.accounts.get(owner.account_id)
    if account is None:
        raise AccountGone()
    return account


def check_own_password(context: AccountContext, owner: Identity, password: str) -> Account:
    """Raises AccountGone, WrongPassword."""
    account = show(context.uow, owner)
    if not context.ports.hasher.verify(password, account.password_hash):
        context.record_refusal(EventKind.PASSWORD_PROOF_FAILED, account.id)
        raise WrongPassword()
    return account


def change_password(context: AccountContext, owner: Identity, *, current: str, new: str) -> str:
    """End all other sessions and return a new access token for this one.

    Raises AccountGone, WrongPassword, WeakPassword, ChangedMeanwhile.
    """
    seen = check_own_password(context, owner, current)
    password_hash = context.hash_password(new, email=seen.email, username=seen.user.username)
    with context.uow as uow:
        account = lock_unchanged(uow.accounts, seen)
        replace_password(context, account, password_hash, keep_session=owner.session_id)
        context.queue_mail(PASSWORD_CHANGED_MAIL, account_id=account.id)
        context.record(EventKind.PASSWORD_CHANGED, account.id, by_account=True)
        uow.commit()
    identity = Identity(account.id, owner.session_id, account.token_epoch)
    return context.ports.access_tokens.issue(identity, context.now)


def delete(context: AccountContext, owner: Identity, password: str) -> None:
    """Delete the account with its user's data, then the image files.

    Raises AccountGone, WrongPassword, ChangedMeanwhile.
    """
    seen = check_own_password(context, owner, password)
    with context.uow as uow:
        account = lock_unchanged(uow.accounts, seen)
        keys = remove_account(context, account)
        context.record(EventKind.ACCOUNT_DELETED, account.id, by_account=True)
        uow.commit()
    context.ports.free_files(account.user.id, keys)
