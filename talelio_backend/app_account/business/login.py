from datetime import datetime

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.email_address import canonical_email
from talelio_backend.app_account.business.errors import InvalidCredentials
from talelio_backend.app_account.business.ports import AccountUnitOfWork, PasswordHasher
from talelio_backend.shared.business.identity import AccessTokens, Identity


def log_in(
    uow: AccountUnitOfWork,
    hasher: PasswordHasher,
    tokens: AccessTokens,
    *,
    email: str,
    password: str,
    now: datetime,
) -> str:
    """Return an access token. Raises InvalidCredentials, AccountNotVerified."""
    address = canonical_email(email)
    with uow:
        account = uow.accounts.get_by_email(address) if address is not None else None
    # The same work for an unknown address as for a wrong password.
    password_hash = account.password_hash if account is not None else None
    if not hasher.verify(password, password_hash) or account is None:
        raise InvalidCredentials()
    account.check_may_log_in()
    if hasher.is_outdated(account.password_hash):
        _renew_hash(uow, account, hasher.hash(password))
    return tokens.issue(Identity(account_id=account.id), now)


def _renew_hash(uow: AccountUnitOfWork, seen: Account, password_hash: str) -> None:
    with uow:
        account = uow.accounts.get_for_update(seen.id)
        # A password changed meanwhile must stay changed.
        if account is not None and account.password_hash == seen.password_hash:
            account.password_hash = password_hash
            uow.commit()
