from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor


def disable(uow: AccountUnitOfWork, account: Account, actor: Actor, now: datetime) -> bool:
    """Disable a locked account and end its sessions. Return False if it is disabled already."""
    if account.disabled_at is not None:
        return False
    account.disable(now)
    uow.sessions.end_all(account.id)
    record(uow.audit, EventKind.ACCOUNT_DISABLED, actor, now, account_id=account.id)
    return True
