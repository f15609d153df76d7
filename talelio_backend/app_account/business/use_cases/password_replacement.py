from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.ports.links import EmailChangeUnitOfWork


def replace_password(
    uow: EmailChangeUnitOfWork,
    account: Account,
    password_hash: str,
    now: datetime,
    *,
    keep_session: int | None = None,
) -> None:
    """Change the password and end what was begun with the one before, which others may have known; `account`
    is locked.

    Those are tokens, sessions but the one that stays, mailed links, and a change of address that waits for
    its confirmation. A confirmed one stays, for the old address to take back.
    """
    account.change_password(password_hash, now)
    uow.sessions.end_all(account.id, keep=keep_session)
    for change in uow.email_changes.of_account(account.id):
        if change.confirmed_at is None:
            uow.email_changes.delete(change)
