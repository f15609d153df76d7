"""Finds accounts by e-mail address, and locks them until the unit of work ends."""
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import canonical_email
from talelio_backend.app_account.business.domain.errors import ChangedMeanwhile
from talelio_backend.app_account.business.ports.accounts import AccountRepository


def find_by_email(accounts: AccountRepository, email: str) -> Account | None:
    """`email` need not be canonical or valid."""
    address = canonical_email(email)
    return accounts.get_by_email(address) if address is not None else None


def lock_by_email(accounts: AccountRepository, email: str) -> Account | None:
    found = find_by_email(accounts, email)
    return accounts.get_for_update(found.id) if found is not None else None


def lock_unchanged(accounts: AccountRepository, seen: Account) -> Account:
    """Lock an account whose credentials have not changed since it was read. Raises ChangedMeanwhile."""
    account = accounts.get_for_update(seen.id)
    if account is None or account.token_epoch != seen.token_epoch:
        raise ChangedMeanwhile()
    return account
