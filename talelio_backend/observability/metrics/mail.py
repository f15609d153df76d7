from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Histogram

from talelio_backend.shared.mail.business.message import Mail, Mailer, MailNotSent

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class MailMetrics:

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.tries = Counter(
            'talelio_mail_tries',
            'Attempts to send mail, by outcome: sent, failed (will be retried) or refused (permanently)',
            ('outcome', ),
            registry=registry,
        )
        for outcome in ('sent', 'failed', 'refused'):
            self.tries.labels(outcome)
        self.seconds = Histogram(
            'talelio_mail_duration_seconds',
            'Duration of attempts to send mail, successful or not',
            buckets=_SECONDS,
            registry=registry,
        )


class MeasuredMailer:

    def __init__(self, mailer: Mailer, metrics: MailMetrics) -> None:
        self._mailer = mailer
        self._tries = metrics.tries
        self._seconds = metrics.seconds

    def send(self, mail: Mail, message_id: UUID) -> None:
        try:
            with self._seconds.time():
                self._mailer.send(mail, message_id)
        except MailNotSent as error:
            self._tries.labels('refused' if error.permanent else 'failed').inc()
            raise
        self._tries.labels('sent').inc()
