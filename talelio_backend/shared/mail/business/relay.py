"""Sends the mail in the outbox. Several relays may run concurrently."""
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from talelio_backend.shared.mail.business.message import Mail, Mailer, MailNotSent
from talelio_backend.shared.mail.business.outbox import MailStatus, OutboxMail, OutboxUnitOfWork

# Seconds between polls of an empty outbox; the maximum delay of a mail.
PAUSE = 1.0

_logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Composes mail of one kind from its payload, or returns None if it is obsolete.
Composer = Callable[[Mapping[str, int], datetime], Mail | None]


def send_next(uow: OutboxUnitOfWork, composers: Mapping[str, Composer], mailer: Mailer, clock: Clock) -> bool:
    """Send the mail that has been due for the longest time. Return False if none is due.

    One transaction leases the mail and another marks it as sent, so that no connection is held during the
    SMTP conversation. If the process dies in between, the lease expires and another relay sends the mail
    again, with the same Message-ID.
    """
    with uow:
        leased = uow.outbox.next_due(clock())
        if leased is None:
            return False
        leased.lease(clock())
        uow.commit()
    settle = _try_to_send(leased, composers, mailer, clock)
    with uow:
        mail = uow.outbox.get_for_update(leased.id)
        # If the lease has expired, another relay has taken over.
        if mail is not None and mail.tries == leased.tries and mail.status is MailStatus.PENDING:
            settle(mail)
            uow.commit()
    return True


def _try_to_send(mail: OutboxMail, composers: Mapping[str, Composer], mailer: Mailer,
                 clock: Clock) -> Callable[[OutboxMail], None]:
    """Return a function that records the outcome."""
    try:
        composed = composers[mail.kind](mail.payload, clock())
        if composed is None:
            return lambda row: row.finish(MailStatus.OBSOLETE, clock())
        mailer.send(composed, mail.message_id)
        return lambda row: row.finish(MailStatus.SENT, clock())
    except MailNotSent as error:
        _logger.warning('mail %s was not sent: %s', mail.id, error)
        reason, permanent = str(error), error.permanent
    except Exception as error:  # pylint: disable=broad-exception-caught
        # A mail that cannot be composed must not block the others.
        _logger.exception('mail %s could not be made', mail.id)
        reason, permanent = type(error).__name__, False
    return lambda row: row.fail(reason, clock(), permanent=permanent)
