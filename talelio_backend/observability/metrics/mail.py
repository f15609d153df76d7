from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Histogram

from talelio_backend.shared.mail.business.message import Mail, Mailer, MailNotSent

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class MeasuredMailer:

    def __init__(self, mailer: Mailer, registry: CollectorRegistry | None) -> None:
        self._mailer = mailer
        self._tries = Counter(
            'talelio_mail_tries',
            'Attempts to send mail, by outcome: sent, failed (will be retried) or refused (permanently)',
            ('outcome', ),
            registry=registry,
        )
        for outcome in ('sent', 'failed', 'refused'):
            self._tries.labels(outcome)
        self._seconds = Histogram(
            'talelio_mail_duration_seconds',
            'Duration of attempts to send mail, successful or not',
            buckets=_SECONDS,
            registry=registry,
        )

    def send(self, mail: Mail, message_id: UUID) -> None:
        try:
            with self._seconds.time():
                self._mailer.send(mail, message_id)
        except MailNotSent as error:
            self._tries.labels('refused' if error.permanent else 'failed').inc()
            raise
        self._tries.labels('sent').inc()
