"""Steps that several use cases share, within a unit of work."""
from collections.abc import Sequence

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import ChangedMeanwhile
from talelio_backend.app_account.business.ports import AccountRepository
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.idempotency.business.claims import scope_of


def find_by_email(accounts: AccountRepository, email: EmailAddress) -> Account | None:
    return accounts.get_by_email(email.canonical) if email.canonical is not None else None


def lock_by_email(accounts: AccountRepository, email: EmailAddress) -> Account | None:
    found = find_by_email(accounts, email)
    return accounts.get_for_update(found.id) if found is not None else None


def lock_unchanged(accounts: AccountRepository, seen: Account) -> Account:
    """Lock an account whose credentials have not changed since it was read. Raises ChangedMeanwhile."""
    account = accounts.get_for_update(seen.id)
    if account is None or account.token_epoch != seen.token_epoch:
        raise ChangedMeanwhile()
    return account


def replace_password(
    context: AccountContext,
    account: Account,
    password_hash: str,
    *,
    keep_session: int | None = None
) -> None:
    """Change a locked account's password and revoke what the old one, which others may know, gave access to.

    This ends all tokens, sessions (except `keep_session`), reset links and pending e-mail changes. Confirmed
    e-mail changes stay, so that the old address can revoke them.
    """
    uow = context.uow
    account.change_password(password_hash, context.now)
    uow.sessions.end_all(account.id, keep=keep_session)
    for change in uow.email_changes.of_account(account.id):
        if change.confirmed_at is None:
            uow.email_changes.delete(change)


def disable(context: AccountContext, account: Account) -> bool:
    """Disable a locked account and end its sessions. Return False if it is disabled already."""
    if account.disabled_at is not None:
        return False
    account.disable(context.now)
    context.uow.sessions.end_all(account.id)
    context.record(EventKind.ACCOUNT_DISABLED, account.id)
    return True


def remove_account(context: AccountContext, account: Account) -> Sequence[str]:
    """Delete a locked account with its user and the user's data. Raises Unavailable.

    Return the keys of the image files, which the caller deletes after the commit.
    """
    uow = context.uow
    # A concurrent upload must not claim another file after this list is read.
    uow.images.lock(account.user.id)
    keys = uow.images.keys_of_user(account.user.id)
    uow.idempotency_claims.delete_of_scope(scope_of(account.id))
    uow.accounts.delete(account)
    return keys
