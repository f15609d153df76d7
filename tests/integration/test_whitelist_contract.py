"""What the ports of the whitelist and of the operator's use cases promise, on the real ones and the fakes."""
from datetime import timedelta

import pytest

from talelio_backend.app_account.business.domain.account import WhitelistEntry
from talelio_backend.shared.business.errors import Conflict
from tests.support.backings import Backing, committed_account
from tests.support.samples import NOW, new_image, new_project


def entry(email: str) -> WhitelistEntry:
    return WhitelistEntry(email=email, note='a friend', added_at=NOW, expires_at=NOW + timedelta(days=1))


def commit(backing: Backing, *emails: str) -> None:
    with backing.unit_of_work() as uow:
        for email in emails:
            uow.whitelist.add(entry(email))
        uow.commit()


def listed(backing: Backing) -> list[str]:
    with backing.unit_of_work() as uow:
        return [each.email for each in uow.whitelist.all()]


def test_an_entry_is_found_as_it_was_added(backing: Backing) -> None:
    commit(backing, 'b@example.com', 'a@example.com')

    with backing.unit_of_work() as uow:
        found = uow.whitelist.get_by_email('a@example.com')
        assert uow.whitelist.get_by_email('c@example.com') is None
    assert found is not None
    assert (found.email, found.note, found.added_at, found.expires_at) == \
        ('a@example.com', 'a friend', NOW, NOW + timedelta(days=1))
    assert listed(backing) == ['a@example.com', 'b@example.com']


def test_a_deleted_entry_is_gone(backing: Backing) -> None:
    commit(backing, 'a@example.com', 'b@example.com')

    with backing.unit_of_work() as uow:
        found = uow.whitelist.get_by_email_for_update('a@example.com')
        assert found is not None
        uow.whitelist.delete(found)
        uow.commit()

    assert listed(backing) == ['b@example.com']


def test_an_address_is_listed_once(real_backing: Backing) -> None:
    commit(real_backing, 'a@example.com')

    with pytest.raises(Conflict):
        commit(real_backing, 'a@example.com')


def test_a_deleted_account_takes_with_it_what_it_has(backing: Backing) -> None:
    kept, account = committed_account(backing, 'kept'), committed_account(backing)
    with backing.unit_of_work() as uow:
        uow.projects.add(new_project(account.user.id))
        uow.images.add(new_image(account.user.id))
        uow.commit()

    with backing.unit_of_work() as uow:
        found = uow.accounts.get_for_update(account.id)
        assert found is not None
        uow.accounts.delete(found)
        uow.commit()

    with backing.unit_of_work() as uow:
        assert [each.id for each in uow.accounts.all()] == [kept.id]
        assert uow.users.get_by_username('maker') is None
        assert uow.images.get_by_fingerprint(account.user.id, 'a' * 32) is None
