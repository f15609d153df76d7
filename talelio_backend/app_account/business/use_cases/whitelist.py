"""The addresses that may register: those in the settings, and those that the operator added."""
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import require_canonical_email
from talelio_backend.app_account.business.domain.whitelist_entry import WhitelistEntry
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork
from talelio_backend.app_account.business.use_cases.account_disabling import disable
from talelio_backend.app_account.business.use_cases.locking import lock_by_email
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import Invalid, NotFound


class NotOnWhitelist(NotFound):

    def __init__(self, email: str) -> None:
        super().__init__(f"'{email}' is not on the whitelist of the database")


@dataclass(frozen=True, kw_only=True)
class Removal:
    email: str
    # The account with this address. Removal does not delete it.
    account: Account | None
    disabled: bool


def admits(uow: AccountUnitOfWork, settings: Container[str], email: str, now: datetime) -> bool:
    """Call this inside the unit of work, with a canonical address."""
    if email in settings:
        return True
    entry = uow.whitelist.get_by_email(email)
    return entry is not None and entry.admits(now)


def add(
    uow: AccountUnitOfWork,
    *,
    email: str,
    note: str,
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> WhitelistEntry:
    """Add an entry, or replace the note and expiry of an existing one. Raises Invalid, Conflict."""
    address = require_canonical_email(email)
    if expires_at is not None and expires_at <= now:
        raise Invalid('The entry would have expired already')
    with uow:
        entry = uow.whitelist.get_by_email_for_update(address)
        if entry is None:
            entry = WhitelistEntry(email=address, note=note, added_at=now, expires_at=expires_at)
            uow.whitelist.add(entry)
        else:
            entry.note, entry.expires_at = note, expires_at
        record(uow.audit, EventKind.WHITELIST_ADDED, actor, now, details={'email': address})
        uow.commit()
    return entry


def remove(
    uow: AccountUnitOfWork, *, email: str, disable_account: bool, actor: Actor, now: datetime
) -> Removal:
    """Raises Invalid, NotOnWhitelist."""
    address = require_canonical_email(email)
    with uow:
        entry = uow.whitelist.get_by_email_for_update(address)
        if entry is None:
            raise NotOnWhitelist(address)
        uow.whitelist.delete(entry)
        record(uow.audit, EventKind.WHITELIST_REMOVED, actor, now, details={'email': address})
        account = lock_by_email(uow.accounts, address)
        disabled = disable_account and account is not None and disable(uow, account, actor, now)
        uow.commit()
    return Removal(email=address, account=account, disabled=disabled)


def list_entries(uow: AccountUnitOfWork) -> Sequence[WhitelistEntry]:
    with uow:
        return uow.whitelist.all()
