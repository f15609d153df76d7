from datetime import timedelta

import pytest

from talelio_backend.shared.audit.business.audit_trail import (
    EventKind,
    EventQuery,
    Retention,
    network_of,
    prune,
    record,
    record_refusal,
)
from talelio_backend.shared.business.actor import Actor
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, ORIGIN, new_event

RETENTION = Retention(addresses=timedelta(days=30), events=timedelta(days=365))


@pytest.mark.parametrize(('address', 'network'), [
    ('192.0.2.7', '192.0.2.0/24'),
    ('2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'),
    ('::1', '::/48'),
    ('fe80::1%eth0', 'fe80::/48'),
])
def test_a_network_does_not_identify_a_customer(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_event_belongs_to_the_unit_of_work_of_the_change() -> None:
    uow = FakeUnitOfWork()

    with uow:
        record(uow.audit, EventKind.ACCOUNT_VERIFIED, ORIGIN, NOW, account_id=7, by_account=True)

    assert not uow.store.events


def test_a_refusal_is_recorded_in_its_own_transaction() -> None:
    uow = FakeUnitOfWork()

    record_refusal(uow, EventKind.LOGIN_FAILED, ORIGIN, NOW, account_id=7, details={'tries': 3})

    event, = uow.store.events.values()
    assert (event.actor, event.address, event.network) == ('anonymous', '192.0.2.7', '192.0.2.0/24')
    assert (event.account_id, event.details, event.occurred_at) == (7, {'tries': 3}, NOW)


def test_an_event_names_its_actor() -> None:
    uow = FakeUnitOfWork()

    with uow:
        record(uow.audit, EventKind.ACCOUNT_VERIFIED, ORIGIN, NOW, account_id=7, by_account=True)
        record(uow.audit, EventKind.ACCOUNT_VERIFIED, Actor(name='operator maria'), NOW, account_id=7)
        uow.commit()

    assert [(event.actor, event.network)
            for event in uow.store.events.values()] == [('account 7', '192.0.2.0/24'),
                                                        ('operator maria', None)]


def test_pruning_deletes_old_events_and_addresses() -> None:
    uow = FakeUnitOfWork()
    with uow:
        for days in (0, 31, 366):
            uow.audit.add(new_event(account_id=days, now=NOW - timedelta(days=days)))
        uow.commit()

    assert prune(uow, RETENTION, NOW) == 2
    assert prune(uow, RETENTION, NOW) == 0
    left = {event.account_id: event.address for event in uow.store.events.values()}
    assert left == {0: '192.0.2.7', 31: None}


def test_events_are_filtered_and_listed_newest_first() -> None:
    uow = FakeUnitOfWork()
    for hours, account_id in ((0, 7), (1, 8), (2, 7)):
        record_refusal(
            uow, EventKind.LOGIN_FAILED, ORIGIN, NOW + timedelta(hours=hours), account_id=account_id
        )

    with uow:
        found = uow.audit.find(EventQuery(account_id=7))

    assert [event.occurred_at for event in found] == [NOW + timedelta(hours=2), NOW]
