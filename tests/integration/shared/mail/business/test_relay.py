"""The way of a mail from the commit to the mail server, over a real outbox and a real server."""
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NoReturn
from uuid import UUID

import pytest
from sqlalchemy import Engine

from talelio_backend.app_account.business.domain.errors import EmailTaken
from talelio_backend.app_account.business.mails.account_mails import (
    VERIFICATION_MAIL,
    AccountMails,
    LinkUrls,
    MailRequests,
)
from talelio_backend.app_account.business.ports import LinkPurpose
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.mail.business import outbox
from talelio_backend.shared.mail.business.message import Mail, Mailer, MailNotSent
from talelio_backend.shared.mail.business.outbox import (
    GIVE_UP_AFTER,
    LEASE,
    LONGEST_RETRY,
    MailStatus,
    OutboxMail,
)
from talelio_backend.shared.mail.business.relay import PAUSE, Composer, send_next
from talelio_backend.shared.mail.data.mailers import SmtpMailer
from talelio_backend.shared.mail.data.smtp_server import SmtpServer
from talelio_backend.shared.workers.periodic_thread import PeriodicThread
from tests.support.at_once import at_once
from tests.support.engines import other_engine, outage, scalar
from tests.support.samples import NOW, new_account, new_mail
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.sockets import closed_port
from tests.support.waiting import PATIENCE, repeat, wait_until

SENDER = 'Maker <noreply@api.test>'
SECOND = timedelta(seconds=1)
# Seconds: a pause that no test lives to see the end of.
ENDLESS = 3600.0


@pytest.fixture(name='engine')
def fixture_engine(shared_engine: Engine) -> Engine:
    scalar(shared_engine, 'TRUNCATE outbox, accounts CASCADE')
    return shared_engine


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(name='clock')
def fixture_clock() -> Clock:
    return Clock()


def compose(payload: Mapping[str, int], now: datetime) -> Mail | None:
    assert now.tzinfo is UTC
    number = payload['number']
    return Mail(
        to=f'reader{number}@example.com', subject=f'Note {number}', text='text', html='<p>html</p>', link=''
    )


COMPOSERS: Mapping[str, Composer] = {'note': compose}


class ScriptedMailer:
    """Does what the test says in place of sending."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send

    def send(self, _mail: Mail, _message_id: UUID) -> None:
        self._send()


class Killed(BaseException):
    """Goes past everything, as the end of the process does."""


def refuse(*, permanent: bool) -> NoReturn:
    raise MailNotSent('refused', permanent=permanent)


def mailer_to(sink: SmtpSink) -> Mailer:
    return SmtpMailer(SmtpServer.from_url(sink.url), SENDER, timeout=PATIENCE)


def relay_once(engine: Engine, mailer: Mailer, clock: Callable[[], datetime]) -> bool:
    return send_next(UnitOfWork(engine), COMPOSERS, mailer, clock)


def queue(engine: Engine, number: int = 1) -> list[OutboxMail]:
    mails = [new_mail(index) for index in range(number)]
    with UnitOfWork(engine) as uow:
        for mail in mails:
            uow.outbox.add(mail)
        uow.commit()
    return mails


def stored(engine: Engine, mail: OutboxMail) -> OutboxMail:
    with UnitOfWork(engine) as uow:
        found = uow.outbox.get_for_update(mail.id)
    assert found is not None
    return found


def message_ids(sink: SmtpSink) -> list[str]:
    return [str(mail['Message-ID']) for mail in sink.mails]


def message_id(mail: OutboxMail) -> str:
    return f'<{mail.message_id}@api.test>'


# Once


def test_many_relays_send_each_mail_once(engine: Engine, smtp_sink: SmtpSink, clock: Clock) -> None:
    mails = queue(engine, 60)

    def relay_all() -> int:
        return repeat(partial(relay_once, engine, mailer_to(smtp_sink), clock))

    sent = at_once([relay_all] * 6)

    assert sum(sent) == 60
    assert Counter(message_ids(smtp_sink)) == Counter(message_id(mail) for mail in mails)
    assert Counter(mail['To'] for mail in smtp_sink.mails) == \
        Counter(f'reader{index}@example.com' for index in range(60))
    assert scalar(engine, "SELECT count(*) FROM outbox WHERE status = 'sent' AND tries = 1") == 60


def test_an_empty_outbox_sends_nothing(engine: Engine, smtp_sink: SmtpSink, clock: Clock) -> None:
    assert not relay_once(engine, mailer_to(smtp_sink), clock)
    assert not smtp_sink.mails


def test_no_connection_is_held_while_the_mail_is_sent(engine: Engine, clock: Clock) -> None:
    mail, = queue(engine)
    with other_engine(engine, pool_size=1) as small:

        def use_the_only_connection() -> None:
            assert scalar(small, "SELECT tries FROM outbox WHERE due_at > :now", now=clock()) == 1

        assert relay_once(small, ScriptedMailer(use_the_only_connection), clock)

    assert stored(engine, mail).status is MailStatus.SENT


# Relays that die or are slow


@pytest.mark.parametrize('handed_over', [False, True])
def test_what_a_dead_relay_had_is_sent_when_its_lease_ends_under_the_same_id(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock, handed_over: bool
) -> None:
    mail, = queue(engine)

    class DyingMailer:

        def send(self, given: Mail, id_: UUID) -> None:
            if handed_over:
                mailer_to(smtp_sink).send(given, id_)
            raise Killed

    with pytest.raises(Killed):
        relay_once(engine, DyingMailer(), clock)
    clock.now = NOW + LEASE - SECOND
    assert not relay_once(engine, mailer_to(smtp_sink), clock)
    clock.now = NOW + LEASE
    assert relay_once(engine, mailer_to(smtp_sink), clock)
    clock.now = NOW + 10 * LEASE
    assert not relay_once(engine, mailer_to(smtp_sink), clock)

    assert message_ids(smtp_sink) == [message_id(mail)] * (2 if handed_over else 1)
    found = stored(engine, mail)
    assert (found.status, found.tries) == (MailStatus.SENT, 2)


@pytest.mark.parametrize('own_result', ['sent', 'refused', 'refused for good'])
@pytest.mark.parametrize(('others_result', 'status'), [
    ('sent', MailStatus.SENT),
    ('refused', MailStatus.PENDING),
    ('refused for good', MailStatus.FAILED),
])
def test_who_lost_its_lease_does_not_overwrite_the_others_result(
    engine: Engine, clock: Clock, own_result: str, others_result: str, status: MailStatus
) -> None:
    mail, = queue(engine)
    results: dict[str, Callable[[], None]] = {
        'sent': lambda: None,
        'refused': partial(refuse, permanent=False),
        'refused for good': partial(refuse, permanent=True),
    }
    after_the_other: list[OutboxMail] = []

    def be_slow() -> None:
        clock.now = NOW + LEASE
        assert relay_once(engine, ScriptedMailer(results[others_result]), clock)
        after_the_other.append(stored(engine, mail))
        clock.now = NOW + LEASE + SECOND
        results[own_result]()

    relay_once(engine, ScriptedMailer(be_slow), clock)

    found = stored(engine, mail)
    assert (found.status, found.tries) == (status, 2)
    before = after_the_other[0]
    assert (found.due_at, found.finished_at, found.last_error) == \
        (before.due_at, before.finished_at, before.last_error)


def test_a_mail_that_is_gone_meanwhile_is_no_trouble(engine: Engine, clock: Clock) -> None:
    queue(engine)

    assert relay_once(engine, ScriptedMailer(lambda: scalar(engine, 'DELETE FROM outbox')), clock)

    assert not relay_once(engine, ScriptedMailer(lambda: None), clock)


def test_a_database_that_is_gone_after_the_sending_sends_again_under_the_same_id(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    mail, = queue(engine)

    class Outage:
        """Begins when the mail is handed over."""

        def send(self, given: Mail, id_: UUID) -> None:
            mailer_to(smtp_sink).send(given, id_)
            down.__enter__()  # pylint: disable=unnecessary-dunder-call

    down = outage(engine)
    try:
        with pytest.raises(Unavailable):
            relay_once(engine, Outage(), clock)
    finally:
        down.__exit__(None, None, None)
    clock.now = NOW + LEASE
    assert relay_once(engine, mailer_to(smtp_sink), clock)

    assert message_ids(smtp_sink) == [message_id(mail)] * 2
    assert stored(engine, mail).status is MailStatus.SENT


# Failures


def unfinished(engine: Engine) -> Sequence[OutboxMail]:
    with UnitOfWork(engine) as uow:
        return uow.outbox.list_unfinished()


def test_a_refused_mail_fails_is_listed_replayed_and_sent(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    mail, = queue(engine)
    smtp_sink.refuse_with = '554 no mail for reader0@example.com'

    assert relay_once(engine, mailer_to(smtp_sink), clock)
    [listed] = unfinished(engine)
    clock.now = NOW + timedelta(days=3)
    assert not relay_once(engine, mailer_to(smtp_sink), clock)
    smtp_sink.refuse_with = None
    outbox.replay(UnitOfWork(engine), mail.id, clock.now)
    assert relay_once(engine, mailer_to(smtp_sink), clock)

    assert (listed.id, listed.status, listed.tries) == (mail.id, MailStatus.FAILED, 1)
    assert listed.last_error == 'the mail server refused the mail (554)'
    assert message_ids(smtp_sink) == [message_id(mail)]
    assert not unfinished(engine)
    assert stored(engine, mail).finished_at == clock.now


def test_the_pauses_between_tries_grow_and_are_kept(engine: Engine, clock: Clock) -> None:
    mail, = queue(engine)
    no = ScriptedMailer(partial(refuse, permanent=False))
    pauses = []

    for _ in range(12):
        assert relay_once(engine, no, clock)
        due_at = stored(engine, mail).due_at
        pauses.append(due_at - clock.now)
        clock.now = due_at - timedelta(microseconds=1)
        assert not relay_once(engine, no, clock)
        clock.now = due_at

    for tries, pause in enumerate(pauses):
        longest = min(2 * SECOND * 2**tries, LONGEST_RETRY)
        assert longest / 2 <= pause <= longest
    found = stored(engine, mail)
    assert (found.tries, found.status, found.last_error) == (12, MailStatus.PENDING, 'refused')


def test_a_mail_is_given_up_after_a_day_of_tries(engine: Engine, clock: Clock) -> None:
    mail, = queue(engine)
    no = ScriptedMailer(partial(refuse, permanent=False))

    clock.now = NOW + GIVE_UP_AFTER - timedelta(microseconds=1)
    assert relay_once(engine, no, clock)
    before = stored(engine, mail)
    clock.now = before.due_at
    assert relay_once(engine, no, clock)
    after = stored(engine, mail)

    assert (before.status, before.finished_at) == (MailStatus.PENDING, None)
    assert (after.status, after.finished_at) == (MailStatus.FAILED, clock.now)


def test_mail_of_ten_minutes_without_a_server_comes_once(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    mails = queue(engine, 3)

    with closed_port() as port:
        away = SmtpMailer(SmtpServer(host='127.0.0.1', port=port), SENDER)
        while clock.now < NOW + timedelta(minutes=10):
            repeat(partial(relay_once, engine, away, clock))
            clock.now += 30 * SECOND
    # By then the longest pause is over for all.
    clock.now += LONGEST_RETRY
    repeat(partial(relay_once, engine, mailer_to(smtp_sink), clock))

    assert Counter(message_ids(smtp_sink)) == Counter(message_id(mail) for mail in mails)
    assert {stored(engine, mail).status for mail in mails} == {MailStatus.SENT}


def test_one_refused_mail_does_not_hold_up_the_others(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    mails = queue(engine, 3)

    def fail(payload: Mapping[str, int], now: datetime) -> Mail | None:
        if payload['number'] == 0:
            raise ValueError('a bug')
        return compose(payload, now)

    repeat(partial(send_next, UnitOfWork(engine), {'note': fail}, mailer_to(smtp_sink), clock))

    assert sorted(message_ids(smtp_sink)) == sorted(message_id(mail) for mail in mails[1:])
    found = stored(engine, mails[0])
    assert (found.status, found.last_error) == (MailStatus.PENDING, 'ValueError')


def test_a_mail_of_a_kind_that_only_a_newer_release_knows_waits_for_it(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    mail, = queue(engine)

    assert send_next(UnitOfWork(engine), {}, mailer_to(smtp_sink), clock)
    clock.now = stored(engine, mail).due_at
    assert relay_once(engine, mailer_to(smtp_sink), clock)

    assert message_ids(smtp_sink) == [message_id(mail)]


# The mail to a new account


def verification_composers(engine: Engine) -> Mapping[str, Composer]:
    secret_key = 'a key that is for the tests alone: 0123456789'
    mails = AccountMails(
        unit_of_work=lambda: UnitOfWork(engine),
        urls=LinkUrls(api_base_url='https://api.test', frontend_url=None),
        links={purpose: JwtLinkTokens(purpose, secret_key)
               for purpose in LinkPurpose},
    )
    return {VERIFICATION_MAIL: mails.verification}


def register(
    engine: Engine, username: str = 'maker', *, email: str | None = None, commit: bool = True
) -> int:
    account = new_account(username, email=email)
    with UnitOfWork(engine) as uow:
        uow.accounts.add(account)
        payload = {'account_id': account.id, 'serial': account.link_serial}
        uow.outbox.add(OutboxMail.queue(VERIFICATION_MAIL, payload, NOW))
        if commit:
            uow.commit()
    return account.id


def test_a_committed_account_gets_its_link(engine: Engine, smtp_sink: SmtpSink, clock: Clock) -> None:
    register(engine)

    assert send_next(UnitOfWork(engine), verification_composers(engine), mailer_to(smtp_sink), clock)

    [mail] = smtp_sink.mails
    assert mail['To'] == 'maker@example.com'
    assert link_in(mail).startswith('https://api.test/v1/accounts/verify/')


def test_an_account_that_was_rolled_back_gets_no_mail(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    register(engine, commit=False)
    register(engine, 'first', email='taken@example.com')
    with pytest.raises(EmailTaken):
        register(engine, 'second', email='taken@example.com')

    composers = verification_composers(engine)
    repeat(partial(send_next, UnitOfWork(engine), composers, mailer_to(smtp_sink), clock))

    assert [mail['To'] for mail in smtp_sink.mails] == ['taken@example.com']


def test_a_link_that_is_no_longer_wanted_is_not_sent(
    engine: Engine, smtp_sink: SmtpSink, clock: Clock
) -> None:
    verified, renewed, deleted = (register(engine, name) for name in ('one', 'two', 'three'))
    scalar(engine, 'UPDATE accounts SET verified = true WHERE id = :id', id=verified)
    scalar(engine, 'DELETE FROM accounts WHERE id = :id', id=deleted)
    requests = MailRequests(lambda: UnitOfWork(engine))
    requests.verification({'account_id': renewed}, NOW + timedelta(hours=2))
    clock.now = NOW + timedelta(hours=2)

    composers = verification_composers(engine)
    repeat(partial(send_next, UnitOfWork(engine), composers, mailer_to(smtp_sink), clock))

    assert [mail['To'] for mail in smtp_sink.mails] == ['two@example.com']
    assert scalar(engine, "SELECT count(*) FROM outbox WHERE status = 'obsolete'") == 3
    assert scalar(engine, 'SELECT link_serial FROM accounts WHERE id = :id', id=renewed) == 2


# The thread


@contextmanager
def running(thread: PeriodicThread) -> Iterator[PeriodicThread]:
    thread.start()
    try:
        yield thread
    finally:
        thread.stop(PATIENCE)


def is_running() -> bool:
    return any(thread.name == 'mail-relay' for thread in threading.enumerate())


def relay_thread(engine: Engine, sink: SmtpSink, *, pause: float = PAUSE) -> PeriodicThread:
    """As the service has it, with the pauses that it has."""
    mailer = mailer_to(sink)
    return PeriodicThread(
        'mail-relay', lambda: relay_once(engine, mailer, lambda: datetime.now(UTC)), pause=pause
    )


def test_the_thread_sends_mails_that_are_queued_while_it_pauses(engine: Engine, smtp_sink: SmtpSink) -> None:
    with running(relay_thread(engine, smtp_sink)):
        for number in (1, 2):
            queue(engine)
            smtp_sink.wait_for(number)

    # A person who waits for the mail does not notice this.
    assert PAUSE <= 1


def test_the_thread_does_not_pause_between_mails(engine: Engine, smtp_sink: SmtpSink) -> None:
    queue(engine, 20)

    with running(relay_thread(engine, smtp_sink, pause=ENDLESS)):
        smtp_sink.wait_for(20)


def test_the_threads_of_two_processes_send_each_mail_once(engine: Engine, smtp_sink: SmtpSink) -> None:
    mails = queue(engine, 20)

    with running(relay_thread(engine, smtp_sink)), running(relay_thread(engine, smtp_sink)):
        unsent = "SELECT count(*) FROM outbox WHERE status <> 'sent'"
        wait_until(lambda: scalar(engine, unsent) == 0, 'all mails are sent')

    assert Counter(message_ids(smtp_sink)) == Counter(message_id(mail) for mail in mails)


@pytest.mark.parametrize('error', [RuntimeError('a bug'), Unavailable('no database'), MemoryError()])
def test_the_thread_outlives_any_error(error: Exception) -> None:
    again = threading.Event()
    calls: list[None] = []

    def stumble() -> bool:
        calls.append(None)
        if len(calls) == 1:
            raise error
        again.set()
        return False

    with running(PeriodicThread('mail-relay', stumble, pause=0.01, pause_without_database=0.01)):
        assert again.wait(PATIENCE)
        assert is_running()


def test_an_error_is_logged_and_an_outage_is_not(caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception] = [Unavailable('no database'), RuntimeError('a bug')]
    done = threading.Event()

    def stumble() -> bool:
        if errors:
            raise errors.pop()
        done.set()
        return False

    with running(PeriodicThread('mail-relay', stumble, pause=0.01, pause_without_database=0.01)):
        assert done.wait(PATIENCE)

    [record] = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == 'a bug'


def test_the_thread_goes_on_after_an_outage_of_the_database(engine: Engine, smtp_sink: SmtpSink) -> None:
    mails = queue(engine)
    mailer, missed = mailer_to(smtp_sink), threading.Event()

    def send() -> bool:
        try:
            return relay_once(engine, mailer, lambda: datetime.now(UTC))
        except Unavailable:
            missed.set()
            raise

    thread = PeriodicThread('mail-relay', send, pause=0.1, pause_without_database=0.1)
    with running(thread):
        smtp_sink.wait_for(1)
        with outage(engine):
            assert missed.wait(PATIENCE)
        mails += queue(engine)
        smtp_sink.wait_for(2)

    assert message_ids(smtp_sink) == [message_id(mail) for mail in mails]


@pytest.mark.parametrize('outcome', [False, Unavailable('no database')], ids=['idle', 'no database'])
def test_stopping_ends_a_pause(outcome: bool | Exception) -> None:
    called = threading.Event()

    def send() -> bool:
        called.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    thread = PeriodicThread('mail-relay', send, pause=ENDLESS, pause_without_database=ENDLESS)
    thread.start()
    assert called.wait(PATIENCE)
    thread.stop(PATIENCE)

    assert not is_running()


def test_a_busy_thread_stops_after_the_mail_in_hand() -> None:
    sending, may_end = threading.Event(), threading.Event()
    sent: list[bool] = []

    def send() -> bool:
        sending.set()
        sent.append(may_end.wait(PATIENCE))
        return True

    thread = PeriodicThread('mail-relay', send, pause=PAUSE)
    thread.start()
    assert sending.wait(PATIENCE)
    stopper = threading.Thread(target=thread.stop, args=(PATIENCE, ))
    stopper.start()
    stopper.join(0.1)
    assert stopper.is_alive() and is_running()
    may_end.set()
    stopper.join(PATIENCE)

    assert sent == [True]
    assert not stopper.is_alive() and not is_running()


def test_stopping_waits_no_longer_than_it_is_told() -> None:
    sending, may_end = threading.Event(), threading.Event()

    def send() -> bool:
        sending.set()
        return may_end.wait(PATIENCE)

    thread = PeriodicThread('mail-relay', send, pause=PAUSE)
    thread.start()
    assert sending.wait(PATIENCE)
    thread.stop(0.1)

    assert is_running()
    may_end.set()
    thread.stop(PATIENCE)
    assert not is_running()


def test_a_thread_that_never_started_can_be_stopped() -> None:
    PeriodicThread('mail-relay', lambda: False, pause=PAUSE).stop(PATIENCE)

    assert not is_running()
