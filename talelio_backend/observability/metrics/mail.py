from uuid import UUID

from talelio_backend.observability.metrics.sharing import counter, histogram
from talelio_backend.shared.mail.business.message import Mail, Mailer, MailNotSent

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class MeasuredMailer:

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._tries = counter(
            'talelio_mail_tries',
            'Attempts to send mail, by outcome: sent, failed (will be retried) or refused (permanently)',
            ('outcome', )
        )
        for outcome in ('sent', 'failed', 'refused'):
            self._tries.labels(outcome)
        self._seconds = histogram(
            'talelio_mail_duration_seconds',
            'Duration of attempts to send mail, successful or not',
            buckets=_SECONDS
        )

    def send(self, mail: Mail, message_id: UUID) -> None:
        try:
            with self._seconds.time():
                self._mailer.send(mail, message_id)
        except MailNotSent as error:
            self._tries.labels('refused' if error.permanent else 'failed').inc()
            raise
        self._tries.labels('sent').inc()
