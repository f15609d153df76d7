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
    """Change a locked account's password and revoke what the old one, which others may know, gave access to.

    This ends all tokens, sessions (except `keep_session`), reset links and pending e-mail changes. Confirmed
    e-mail changes stay, so that the old address can revoke them.
    """
    account.change_password(password_hash, now)
    uow.sessions.end_all(account.id, keep=keep_session)
    for change in uow.email_changes.of_account(account.id):
        if change.confirmed_at is None:
            uow.email_changes.delete(change)
