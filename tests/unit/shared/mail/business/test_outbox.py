from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.shared.business.errors import Conflict, NotFound
from talelio_backend.shared.mail.business import outbox
from talelio_backend.shared.mail.business.outbox import MailStatus, OutboxMail, retry_pause
from tests.fakes.unit_of_work import FakeUnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def queued(uow: FakeUnitOfWork) -> OutboxMail:
    mail = OutboxMail.queue('greeting', {'account_id': 1}, NOW)
    with uow:
        uow.outbox.add(mail)
        uow.commit()
    return mail


def test_pauses_double_with_jitter_up_to_a_maximum() -> None:
    for tries, longest in [(1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (1000, 300)]:
        pauses = [retry_pause(tries).total_seconds() for _ in range(200)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest


def test_a_temporary_failure_is_retried_later() -> None:
    mail = OutboxMail.queue('greeting', {}, NOW)
    mail.lease(NOW)

    mail.fail('server away', NOW, permanent=False)

    assert mail.status is MailStatus.PENDING
    assert NOW + timedelta(seconds=1) <= mail.due_at <= NOW + timedelta(seconds=2)
    assert mail.last_error == 'server away'


@pytest.mark.parametrize(('now', 'permanent'), [(NOW, True), (NOW + timedelta(days=1), False)])
def test_a_permanent_failure_stays_for_the_operator(now: datetime, permanent: bool) -> None:
    mail = OutboxMail.queue('greeting', {}, NOW)

    mail.fail('no such mailbox', now, permanent=permanent)

    assert (mail.status, mail.finished_at) == (MailStatus.FAILED, now)


def test_a_replayed_mail_is_due_at_once_and_has_a_day_again() -> None:
    uow = FakeUnitOfWork()
    mail = queued(uow)
    uow.store.outbox[mail.id].fail('no such mailbox', NOW, permanent=True)
    later = NOW + timedelta(days=3)

    outbox.replay(uow, mail.id, later)

    replayed = uow.store.outbox[mail.id]
    assert (replayed.status, replayed.due_at) == (MailStatus.PENDING, later)
    replayed.lease(later)
    replayed.fail('server away', later + timedelta(hours=23), permanent=False)
    assert replayed.status is MailStatus.PENDING


def test_only_failed_mail_can_be_replayed() -> None:
    uow = FakeUnitOfWork()
    mail = queued(uow)

    with pytest.raises(Conflict, match='is pending'):
        outbox.replay(uow, mail.id, NOW)
    with pytest.raises(NotFound, match='no mail 99'):
        outbox.replay(uow, 99, NOW)


def test_the_list_omits_finished_mail() -> None:
    uow = FakeUnitOfWork()
    waiting, done, failed = queued(uow), queued(uow), queued(uow)
    uow.store.outbox[done.id].finish(MailStatus.SENT, NOW)
    uow.store.outbox[failed.id].finish(MailStatus.FAILED, NOW)

    with uow:
        assert [mail.id for mail in uow.outbox.list_unfinished()] == [waiting.id, failed.id]
