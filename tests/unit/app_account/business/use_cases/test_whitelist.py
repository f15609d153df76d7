from datetime import datetime, timedelta
from typing import Any

import pytest

from talelio_backend.app_account.business.domain.account import WhitelistEntry
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import EmailNotWhitelisted
from talelio_backend.app_account.business.use_cases import registration, whitelist
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.errors import Invalid
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import EMAIL, NOW, PASSWORD, context, register_verified

DAY = timedelta(days=1)
NEW = 'new@bücher.example'
NEW_CANONICAL = 'new@xn--bcher-kva.example'


def add(uow: FakeUnitOfWork, email: str = NEW, now: datetime = NOW, **changes: Any) -> WhitelistEntry:
    arguments = {'note': 'a friend', 'expires_at': None, **changes}
    return whitelist.add(context(uow, now), email=email, **arguments)


def remove(uow: FakeUnitOfWork, email: str = NEW, *, disable_account: bool = False) -> whitelist.Removal:
    return whitelist.remove(context(uow), email=email, disable_account=disable_account)


def register(uow: FakeUnitOfWork, email: str = NEW) -> None:
    registration.register(context(uow), email=EmailAddress(email), password=PASSWORD, username='newcomer')


def test_an_added_address_may_register_in_any_spelling() -> None:
    uow = FakeUnitOfWork()

    assert add(uow).email == NEW_CANONICAL
    entry, = uow.store.whitelist.values()
    assert (entry.note, entry.added_at, entry.expires_at) == ('a friend', NOW, None)

    register(uow, 'NEW@xn--bcher-kva.example')
    assert [event.kind for event in uow.store.events.values()
            ] == [EventKind.WHITELIST_ADDED, EventKind.ACCOUNT_REGISTERED]


@pytest.mark.parametrize(('expires_in', 'admitted'), [(DAY, True), (timedelta(0), False), (-DAY, False)])
def test_an_entry_admits_until_it_expires(expires_in: timedelta, admitted: bool) -> None:
    uow = FakeUnitOfWork()
    add(uow, expires_at=NOW + expires_in, now=NOW - 2 * DAY)

    if admitted:
        register(uow)
    else:
        with pytest.raises(EmailNotWhitelisted):
            register(uow)


def test_adding_again_replaces_note_and_expiry() -> None:
    uow = FakeUnitOfWork()
    add(uow, expires_at=NOW + DAY)

    add(uow, note='family')

    entry, = uow.store.whitelist.values()
    assert (entry.note, entry.expires_at) == ('family', None)


@pytest.mark.parametrize(('email', 'changes', 'message'), [
    ('nobody', {}, "^'nobody' is not an e-mail address$"),
    (NEW, {'expires_at': NOW}, '^The entry would have expired already$'),
])  # yapf: disable
def test_an_invalid_entry_is_refused(email: str, changes: dict[str, Any], message: str) -> None:
    uow = FakeUnitOfWork()

    with pytest.raises(Invalid, match=message):
        add(uow, email, **changes)

    assert not uow.store.whitelist and not uow.store.events


def test_a_removed_address_may_not_register() -> None:
    uow = FakeUnitOfWork()
    add(uow)

    removal = remove(uow)

    assert (removal.email, removal.account, removal.disabled) == (NEW_CANONICAL, None, False)
    with pytest.raises(EmailNotWhitelisted):
        register(uow)


@pytest.mark.parametrize('disable_account', [True, False])
def test_removing_leaves_the_account_alone_unless_asked(disable_account: bool) -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    add(uow, EMAIL)

    removal = remove(uow, EMAIL, disable_account=disable_account)

    assert removal.account is not None and removal.disabled is disable_account
    assert (uow.store.accounts[account.id].disabled_at is not None) is disable_account


def test_removing_an_unknown_address_is_refused() -> None:
    with pytest.raises(whitelist.NotOnWhitelist, match=f"^'{NEW_CANONICAL}' is not on the whitelist"):
        remove(FakeUnitOfWork())


def test_addresses_in_the_settings_are_admitted() -> None:
    uow = FakeUnitOfWork()
    with uow:
        assert whitelist.admits(context(uow), EMAIL)
        assert not whitelist.admits(context(uow), NEW_CANONICAL)
