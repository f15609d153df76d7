"""How soon a mail goes out after its commit, compared with the pause of the thread that sends it."""
import time
from datetime import UTC, datetime

from sqlalchemy import Engine

from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.mail.business.message import Mail
from talelio_backend.shared.mail.business.relay import PAUSE, send_next
from talelio_backend.shared.mail.data.mailers import SmtpMailer
from talelio_backend.shared.mail.data.smtp_server import SmtpServer
from talelio_backend.shared.workers.periodic_thread import PeriodicThread
from tests.limits.ratios import median_ratio
from tests.support.samples import new_mail
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import PATIENCE

NOTE = Mail(to='reader@example.com', subject='Note', text='text', html='<p>html</p>', link='')


def test_a_mail_goes_out_within_two_pauses_of_its_commit(engine: Engine, smtp_sink: SmtpSink) -> None:
    mailer = SmtpMailer(SmtpServer.from_url(smtp_sink.url), 'Maker <noreply@api.test>')

    def relay() -> bool:
        return send_next(UnitOfWork(engine), {'note': lambda *_: NOTE}, mailer, lambda: datetime.now(UTC))

    def measure() -> tuple[float, float]:
        number = len(smtp_sink.mails) + 1
        with UnitOfWork(engine) as uow:
            uow.outbox.add(new_mail(number))
            uow.commit()
        began = time.monotonic()
        smtp_sink.wait_for(number)
        return time.monotonic() - began, PAUSE

    thread = PeriodicThread('mail-relay', relay, pause=PAUSE)
    thread.start()
    try:
        assert median_ratio(measure) < 2
    finally:
        thread.stop(PATIENCE)
