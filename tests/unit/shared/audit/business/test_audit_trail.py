from datetime import timedelta

import pytest

from talelio_backend.shared.audit.business.audit_trail import EventKind, EventQuery, network_of, record
from talelio_backend.shared.business.actor import Actor
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, ORIGIN


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


def test_an_event_keeps_what_is_known_of_a_request() -> None:
    uow = FakeUnitOfWork()

    with uow:
        record(uow.audit, EventKind.LOGIN_FAILED, ORIGIN, NOW, account_id=7, details={'tries': 3})
        uow.commit()

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


def test_events_are_filtered_and_listed_newest_first() -> None:
    uow = FakeUnitOfWork()
    for hours, account_id in ((0, 7), (1, 8), (2, 7)):
        with uow:
            now = NOW + timedelta(hours=hours)
            record(uow.audit, EventKind.LOGIN_FAILED, ORIGIN, now, account_id=account_id)
            uow.commit()

    with uow:
        found = uow.audit.find(EventQuery(account_id=7))

    assert [event.occurred_at for event in found] == [NOW + timedelta(hours=2), NOW]
