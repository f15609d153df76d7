"""What the port of the changes of address promises, shown on the real repository and on the fake alike."""
from dataclasses import fields
from datetime import timedelta

from talelio_backend.app_account.business.domain.account import Account, EmailChange
from tests.support.backings import Backing, committed_account
from tests.support.samples import NOW

SECOND = timedelta(seconds=1)


def committed_change(backing: Backing, account: Account, new_email: str = 'new@example.com') -> EmailChange:
    change = EmailChange(
        account_id=account.id, old_email=account.email, new_email=new_email, requested_at=NOW
    )
    with backing.unit_of_work() as uow:
        uow.email_changes.add(change)
        uow.commit()
    return change


def ids(backing: Backing, account: Account) -> list[int]:
    with backing.unit_of_work() as uow:
        return [change.id for change in uow.email_changes.of_account(account.id)]


def values(change: EmailChange | None) -> dict[str, object]:
    assert change is not None
    return {each.name: getattr(change, each.name) for each in fields(EmailChange)}


def test_a_change_comes_back_as_it_was_stored(backing: Backing) -> None:
    change = committed_change(backing, committed_account(backing))

    with backing.unit_of_work() as uow:
        found = uow.email_changes.get(change.id)

    assert found is not change
    assert values(found) == values(change)
    assert change.confirmed_at is None


def test_it_has_an_id_before_it_is_committed_which_its_mails_name(backing: Backing) -> None:
    account = committed_account(backing)
    change = EmailChange(
        account_id=account.id, old_email=account.email, new_email='new@example.com', requested_at=NOW
    )
    with backing.unit_of_work() as uow:
        uow.email_changes.add(change)
        assert uow.email_changes.get(change.id) is change

    with backing.unit_of_work() as uow:
        assert uow.email_changes.get(change.id) is None


def test_its_confirmation_stays_only_if_committed(backing: Backing) -> None:
    change = committed_change(backing, committed_account(backing))

    for committed in (False, True):
        with backing.unit_of_work() as uow:
            found = uow.email_changes.get(change.id)
            assert found is not None and found.confirmed_at is None
            found.confirmed_at = NOW + SECOND
            if committed:
                uow.commit()

    with backing.unit_of_work() as uow:
        found = uow.email_changes.get(change.id)
    assert found is not None and found.confirmed_at == NOW + SECOND


def test_those_of_one_account_come_oldest_first(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    first = committed_change(backing, account)
    others = committed_change(backing, other)
    # The same wish once more is another.
    second = committed_change(backing, account)

    assert ids(backing, account) == [first.id, second.id]
    assert ids(backing, other) == [others.id]
    assert not ids(backing, committed_account(backing, 'third'))


def test_only_the_one_that_is_deleted_goes(backing: Backing) -> None:
    account = committed_account(backing)
    first, second = committed_change(backing, account), committed_change(backing, account)

    for committed in (False, True):
        with backing.unit_of_work() as uow:
            found = uow.email_changes.get(first.id)
            assert found is not None
            uow.email_changes.delete(found)
            if committed:
                uow.commit()
        assert (first.id in ids(backing, account)) is not committed

    assert ids(backing, account) == [second.id]


def test_a_change_goes_with_its_account(backing: Backing) -> None:
    account = committed_account(backing)
    change = committed_change(backing, account)

    backing.delete_account(account.id)

    with backing.unit_of_work() as uow:
        assert uow.email_changes.get(change.id) is None
