from datetime import datetime

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.ports import AccountUnitOfWork
from talelio_backend.shared.business.audit import EventKind, Origin, record


def disable(uow: AccountUnitOfWork, account: Account, origin: Origin, now: datetime) -> bool:
    """Lock an account out, with all that it has open; `account` is locked. Return whether that was news."""
    if account.disabled_at is not None:
        return False
    account.disable(now)
    uow.sessions.end_all(account.id)
    record(uow.audit, EventKind.ACCOUNT_DISABLED, origin, now, account_id=account.id)
    return True
