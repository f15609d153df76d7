"""The one way in which an account goes, whoever wants it."""
from collections.abc import Callable, Sequence

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.ports.links import AccountDeletionUnitOfWork
from talelio_backend.shared.idempotency.business.claims import scope_of

# Given a user's id and the keys of files; leaves to the sweep what the store does not give up.
FreeFiles = Callable[[int, Sequence[str]], None]


def remove_account(uow: AccountDeletionUnitOfWork, account: Account) -> Sequence[str]:
    """Delete a locked account, its user and all that the user brought. Raises Unavailable.

    Return the keys of the pictures' files, to be freed after the commit.
    """
    user_id = account.user.id
    # No upload that is under way may claim another file after these were counted.
    uow.images.lock(user_id)
    keys = uow.images.keys_of_user(user_id)
    uow.idempotency_claims.delete_of_scope(scope_of(account.id))
    uow.accounts.delete(account)
    return keys
