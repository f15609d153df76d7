"""Sends what is in the outbox. Any number of relays may run beside each other."""
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from talelio_backend.shared.mail.business.message import Mail, Mailer, MailNotSent
from talelio_backend.shared.mail.business.outbox import MailStatus, OutboxMail, OutboxUnitOfWork

# Seconds between two looks at an empty outbox: a mail leaves within about this time of its commit.
PAUSE = 1.0

_logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


class Composer(Protocol):
    """Writes the mail of one kind, or returns None when what it was about is no longer so."""

    def __call__(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        ...


def send_next(uow: OutboxUnitOfWork, composers: Mapping[str, Composer], mailer: Mailer, clock: Clock) -> bool:
    """Send the mail that is due the longest. Returns False when none is due.

    The mail is leased in one transaction, sent outside of any, and marked in a second: no connection
    is held while a mail server thinks, and when the process dies in between, the lease runs out and
    another relay sends it again, under the same Message-ID.
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
        # When the lease ran out meanwhile, another relay has the mail and decides about it.
        if mail is not None and mail.tries == leased.tries and mail.status is MailStatus.PENDING:
            settle(mail)
            uow.commit()
    return True


def _try_to_send(mail: OutboxMail, composers: Mapping[str, Composer], mailer: Mailer,
                 clock: Clock) -> Callable[[OutboxMail], None]:
    """Return what is to be written down about the mail."""
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
        # One mail that cannot be composed must not stop those behind it.
        _logger.exception('mail %s could not be made', mail.id)
        reason, permanent = type(error).__name__, False
    return lambda row: row.fail(reason, clock(), permanent=permanent)
