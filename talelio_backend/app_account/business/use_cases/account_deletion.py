"""Deletes an account, for its owner or the operator."""
from collections.abc import Callable, Sequence

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.ports.links import AccountDeletionUnitOfWork
from talelio_backend.shared.idempotency.business.claims import scope_of

# Deletes a user's files by their keys. The sweep retries files that the store fails to delete.
FreeFiles = Callable[[int, Sequence[str]], None]


def remove_account(uow: AccountDeletionUnitOfWork, account: Account) -> Sequence[str]:
    """Delete a locked account with its user and the user's data. Raises Unavailable.

    Return the keys of the image files, which the caller deletes after the commit.
    """
    user_id = account.user.id
    # A concurrent upload must not claim another file after this list is read.
    uow.images.lock(user_id)
    keys = uow.images.keys_of_user(user_id)
    uow.idempotency_claims.delete_of_scope(scope_of(account.id))
    uow.accounts.delete(account)
    return keys
