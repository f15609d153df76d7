"""The addresses that may register: those in the settings, and those that the operator added."""
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account, WhitelistEntry
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.use_cases.shared_steps import disable, lock_by_email
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.errors import Invalid, NotFound


class NotOnWhitelist(NotFound):
    template = "'{}' is not on the whitelist of the database"


@dataclass(frozen=True, kw_only=True)
class Removal:
    email: str
    # The account with this address. Removal does not delete it.
    account: Account | None
    disabled: bool


def admits(context: AccountContext, email: str) -> bool:
    """Call this inside the unit of work, with a canonical address."""
    if email in context.ports.whitelist:
        return True
    entry = context.uow.whitelist.get_by_email(email)
    return entry is not None and entry.admits(context.now)


def add(context: AccountContext, *, email: str, note: str, expires_at: datetime | None) -> WhitelistEntry:
    """Add an entry, or replace the note and expiry of an existing one. Raises Invalid, Conflict."""
    address, now = EmailAddress(email).require_canonical(), context.now
    if expires_at is not None and expires_at <= now:
        raise Invalid('The entry would have expired already')
    with context.uow as uow:
        entry = uow.whitelist.get_by_email_for_update(address)
        if entry is None:
            entry = WhitelistEntry(email=address, note=note, added_at=now, expires_at=expires_at)
            uow.whitelist.add(entry)
        else:
            entry.note, entry.expires_at = note, expires_at
        context.record(EventKind.WHITELIST_ADDED, None, details={'email': address})
        uow.commit()
    return entry


def remove(context: AccountContext, *, email: str, disable_account: bool) -> Removal:
    """Raises Invalid, NotOnWhitelist."""
    address = EmailAddress(email)
    canonical = address.require_canonical()
    with context.uow as uow:
        entry = uow.whitelist.get_by_email_for_update(canonical)
        if entry is None:
            raise NotOnWhitelist(canonical)
        uow.whitelist.delete(entry)
        context.record(EventKind.WHITELIST_REMOVED, None, details={'email': canonical})
        account = lock_by_email(uow.accounts, address)
        disabled = disable_account and account is not None and disable(context, account)
        uow.commit()
    return Removal(email=canonical, account=account, disabled=disabled)
