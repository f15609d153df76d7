from datetime import timedelta

from talelio_backend.bootstrap.pruning import prune
from talelio_backend.shared.mail.business.outbox import MailStatus
from talelio_backend.shared.rate_limits.business.limits import KNOWN_FOR, Policy
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import AUDIT_RETENTION, NOW, new_event, new_mail

HOURLY = Policy(name='hourly', quota=10, window=timedelta(hours=1))


def test_old_events_are_deleted_and_their_addresses_earlier() -> None:
    uow = FakeUnitOfWork()
    with uow:
        for days in (0, 31, 366):
            uow.audit.add(new_event(account_id=days, now=NOW - timedelta(days=days)))
        uow.commit()

    assert prune(uow, AUDIT_RETENTION, NOW) == 2
    assert prune(uow, AUDIT_RETENTION, NOW) == 0
    left = {event.account_id: event.address for event in uow.store.events.values()}
    assert left == {0: '192.0.2.7', 31: None}


def test_finished_mail_is_deleted_after_a_month_but_failed_mail_never() -> None:
    uow = FakeUnitOfWork()
    waiting, done, failed = (new_mail() for _ in range(3))
    done.finish(MailStatus.SENT, NOW)
    failed.finish(MailStatus.FAILED, NOW)
    with uow:
        for mail in (waiting, done, failed):
            uow.outbox.add(mail)
        uow.commit()

    assert prune(uow, AUDIT_RETENTION, NOW + timedelta(days=30)) == 0
    assert prune(uow, AUDIT_RETENTION, NOW + timedelta(days=31)) == 1
    assert list(uow.store.outbox) == [waiting.id, failed.id]


def test_expired_counters_are_deleted() -> None:
    uow = FakeUnitOfWork()
    with uow:
        tries, network = uow.counters.lock([('hourly', 'a'), ('known-network', 'b')], NOW)
        tries.take(HOURLY, NOW)
        network.expires_at = NOW + KNOWN_FOR
        uow.commit()

    assert prune(uow, AUDIT_RETENTION, NOW + timedelta(minutes=59)) == 0
    assert prune(uow, AUDIT_RETENTION, NOW + timedelta(hours=1)) == 1
    assert prune(uow, AUDIT_RETENTION, NOW + KNOWN_FOR) == 1
    assert not uow.store.counters
