from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.business.outbox import LEASE, MailStatus, OutboxMail
from talelio_backend.shared.mail.business.relay import send_next
from tests.fakes.ports import FakeMailer
from tests.fakes.unit_of_work import FakeUnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MAIL = Mail(to='maker@example.com', subject='s', text='t', html='h', link='l')


def compose(payload: Mapping[str, int], now: datetime) -> Mail | None:
    assert now.tzinfo is UTC
    if payload.get('broken'):
        raise KeyError('broken')
    return None if payload.get('obsolete') else MAIL


def queued(uow: FakeUnitOfWork, **payload: int) -> OutboxMail:
    mail = OutboxMail.queue('greeting', payload, NOW)
    with uow:
        uow.outbox.add(mail)
        uow.commit()
    return mail


def send(uow: FakeUnitOfWork, mailer: FakeMailer, now: datetime = NOW) -> bool:
    return send_next(uow, {'greeting': compose}, mailer, lambda: now)


def test_a_due_mail_is_sent_once() -> None:
    uow, mailer = FakeUnitOfWork(), FakeMailer()
    mail = queued(uow)

    assert send(uow, mailer)
    assert not send(uow, mailer, NOW + timedelta(days=1))

    assert mailer.sent == [(MAIL, mail.message_id)]
    sent = uow.store.outbox[mail.id]
    assert (sent.status, sent.finished_at) == (MailStatus.SENT, NOW)


def test_nothing_is_sent_if_nothing_is_due() -> None:
    assert not send(FakeUnitOfWork(), FakeMailer())


def test_a_mail_is_leased_while_sent_and_sent_again_after_a_crash() -> None:
    uow, mailer = FakeUnitOfWork(), FakeMailer()
    mail = queued(uow)

    class Crash(BaseException):
        pass

    class DyingMailer(FakeMailer):

        def send(self, mail: Mail, message_id: object) -> None:
            raise Crash

    try:
        send(uow, DyingMailer())
    except Crash:
        pass

    assert not send(uow, mailer, NOW + LEASE - timedelta(seconds=1))
    assert send(uow, mailer, NOW + LEASE)
    assert mailer.sent == [(MAIL, mail.message_id)]


def test_a_refused_mail_is_retried_or_fails(caplog: pytest.LogCaptureFixture) -> None:
    uow, mailer = FakeUnitOfWork(), FakeMailer()
    mail = queued(uow)

    mailer.failure = MailNotSent('the server is away', permanent=False)
    send(uow, mailer)
    assert uow.store.outbox[mail.id].status is MailStatus.PENDING
    mailer.failure = MailNotSent('no such mailbox', permanent=True)
    send(uow, mailer, NOW + timedelta(seconds=2))

    failed = uow.store.outbox[mail.id]
    assert (failed.status, failed.tries) == (MailStatus.FAILED, 2)
    assert failed.last_error == 'no such mailbox'
    assert caplog.messages == [
        f'mail {mail.id} was not sent: the server is away', f'mail {mail.id} was not sent: no such mailbox'
    ]


def test_obsolete_mail_is_not_sent() -> None:
    uow, mailer = FakeUnitOfWork(), FakeMailer()
    mail = queued(uow, obsolete=1)

    assert send(uow, mailer)

    assert not mailer.sent
    obsolete = uow.store.outbox[mail.id]
    assert (obsolete.status, obsolete.finished_at) == (MailStatus.OBSOLETE, NOW)


def test_a_mail_that_cannot_be_composed_is_retried_and_does_not_block_others(
    caplog: pytest.LogCaptureFixture
) -> None:
    uow, mailer = FakeUnitOfWork(), FakeMailer()
    broken, good = queued(uow, broken=1), queued(uow)

    assert send(uow, mailer)
    assert send(uow, mailer)

    waiting = uow.store.outbox[broken.id]
    assert (waiting.last_error, waiting.status) == ('KeyError', MailStatus.PENDING)
    assert caplog.messages == [f'mail {broken.id} could not be made']
    assert uow.store.outbox[good.id].status is MailStatus.SENT


@pytest.mark.parametrize(('permanent', 'status'), [(True, MailStatus.FAILED), (False, MailStatus.PENDING)])
def test_a_relay_without_its_lease_changes_nothing(permanent: bool, status: MailStatus) -> None:
    uow = FakeUnitOfWork()
    mail = queued(uow)

    class SlowMailer(FakeMailer):

        def send(self, mail: Mail, message_id: object) -> None:
            # Meanwhile the lease runs out, and another relay fails.
            other = FakeMailer()
            other.failure = MailNotSent('no such mailbox', permanent=permanent)
            send(FakeUnitOfWork(uow.store), other, NOW + LEASE)

    send(uow, SlowMailer())

    assert uow.store.outbox[mail.id].status is status
