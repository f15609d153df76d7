"""What the port of the audit trail promises, shown on the real one and on the fake alike."""
from datetime import timedelta

import pytest

from talelio_backend.shared.audit.business.audit_trail import EventKind, EventQuery, SecurityEvent
from tests.support.backings import Backing, committed_account
from tests.support.samples import NOW, new_event

HOUR = timedelta(hours=1)


def commit(backing: Backing, *events: SecurityEvent) -> None:
    with backing.unit_of_work() as uow:
        for event in events:
            uow.audit.add(event)
        uow.commit()


def found(backing: Backing, query: EventQuery = EventQuery()) -> list[SecurityEvent]:
    with backing.unit_of_work() as uow:
        return uow.audit.find(query)


def test_an_event_is_found_as_it_was_recorded(backing: Backing) -> None:
    event = new_event(account_id=7)

    commit(backing, event)

    read, = found(backing)
    assert read is not event
    assert {
        name: getattr(read, name)
        for name in SecurityEvent.__annotations__
    } == {
        'id': event.id,
        'occurred_at': NOW,
        'kind': EventKind.LOGIN_FAILED,
        'account_id': 7,
        'actor': 'anonymous',
        'address': '192.0.2.7',
        'network': '192.0.2.0/24',
        'user_agent': 'curl/8',
        'request_id': 'request-1',
        'details': {
            'tries': 3
        },
    }


def test_an_event_that_is_not_committed_is_not_there(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        uow.audit.add(new_event())

    assert not found(backing)


def test_the_newest_come_first_and_those_of_one_moment_by_their_order(backing: Backing) -> None:
    first, second, earlier = new_event(), new_event(), new_event(now=NOW - HOUR)

    commit(backing, first, second, earlier)

    assert [event.id for event in found(backing)] == [second.id, first.id, earlier.id]
    assert [event.id for event in found(backing, EventQuery(limit=2))] == [second.id, first.id]


@pytest.mark.parametrize(('query', 'numbers'), [
    (EventQuery(account_id=7), [0, 1]),
    (EventQuery(kind=EventKind.LOGIN_FAILED), [0, 2]),
    (EventQuery(since=NOW), [0, 1]),
    (EventQuery(account_id=7, kind=EventKind.LOGIN_FAILED, since=NOW), [0]),
    (EventQuery(account_id=9), []),
])
def test_a_query_finds_what_fits_all_of_it(backing: Backing, query: EventQuery, numbers: list[int]) -> None:
    events = [
        new_event(account_id=7),
        new_event(EventKind.LOGIN_SUCCEEDED, account_id=7),
        new_event(account_id=8, now=NOW - timedelta(microseconds=1)),
    ]
    commit(backing, *events)

    assert {event.id for event in found(backing, query)} == {events[number].id for number in numbers}


def test_the_oldest_are_deleted_first_and_no_more_than_asked(backing: Backing) -> None:
    commit(backing, *(new_event(account_id=hours, now=NOW - hours * HOUR) for hours in (1, 3, 2, 0)))

    with backing.unit_of_work() as uow:
        assert uow.audit.delete_before(NOW, limit=2) == 2
        uow.commit()

    assert [event.account_id for event in found(backing)] == [0, 1]
    with backing.unit_of_work() as uow:
        assert uow.audit.delete_before(NOW, limit=2) == 1
        assert uow.audit.delete_before(NOW, limit=2) == 0


def test_an_older_address_is_forgotten_once_and_its_network_stays(backing: Backing) -> None:
    commit(backing, new_event(account_id=1, now=NOW - HOUR), new_event(account_id=2))

    with backing.unit_of_work() as uow:
        assert uow.audit.forget_addresses(NOW, limit=5) == 1
        assert uow.audit.forget_addresses(NOW, limit=5) == 0
        uow.commit()

    assert [(event.address, event.network) for event in found(backing)] == [('192.0.2.7', '192.0.2.0/24'),
                                                                            (None, '192.0.2.0/24')]


def test_the_trail_outlives_the_account(backing: Backing) -> None:
    account = committed_account(backing)
    commit(backing, new_event(account_id=account.id))

    backing.delete_account(account.id)

    assert [event.account_id for event in found(backing)] == [account.id]
