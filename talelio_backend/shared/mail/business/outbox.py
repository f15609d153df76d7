"""The transactional outbox: use cases queue mail in their own transaction.

A committed mail is sent at least once, a rolled-back one never.
https://microservices.io/patterns/data/transactional-outbox.html
"""
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid4

from talelio_backend.shared.business.errors import Conflict, NotFound
from talelio_backend.shared.business.repository import Repository
from talelio_backend.shared.business.unit_of_work import UnitOfWork

# Longer than a mail server may take to accept a message.
LEASE = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=1)

RETENTION = timedelta(days=30)


class MailStatus(StrEnum):
    PENDING = 'pending'
    SENT = 'sent'
    # Not sent: its reason no longer holds.
    OBSOLETE = 'obsolete'
    # Not retried, unless an operator replays it.
    FAILED = 'failed'


@dataclass(eq=False, kw_only=True)
class OutboxMail:
    """A mail to compose and send. `kind` and `payload` select its content, which is composed on sending."""

    id: int = field(init=False)
    # The Message-ID of all tries, which identifies duplicates.
    message_id: UUID = field(default_factory=uuid4)
    kind: str
    payload: dict[str, int]
    status: MailStatus = MailStatus.PENDING
    created_at: datetime
    # The end of a relay's lease, or of the pause after a failure.
    due_at: datetime
    tries: int = 0
    # The time of creation, or of an operator's replay.
    trying_since: datetime
    finished_at: datetime | None = None
    last_error: str | None = None

    @classmethod
    def queue(cls, kind: str, payload: Mapping[str, int], now: datetime) -> 'OutboxMail':
        return cls(kind=kind, payload=dict(payload), created_at=now, due_at=now, trying_since=now)

    def lease(self, now: datetime) -> None:
        self.tries += 1
        self.due_at = now + LEASE

    def finish(self, status: MailStatus, now: datetime) -> None:
        self.status = status
        self.finished_at = now

    def fail(self, reason: str, now: datetime, *, permanent: bool) -> None:
        self.last_error = reason
        if permanent or now - self.trying_since >= GIVE_UP_AFTER:
            self.finish(MailStatus.FAILED, now)
        else:
            self.due_at = now + retry_pause(self.tries)

    def replay(self, now: datetime) -> None:
        if self.status is not MailStatus.FAILED:
            raise Conflict(f'Mail {self.id} is {self.status}, only failed mail can be replayed')
        self.status = MailStatus.PENDING
        self.finished_at = None
        self.trying_since = self.due_at = now


def retry_pause(tries: int) -> timedelta:
    """Exponential backoff with equal jitter: between a half and the whole of the doubled pause.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    pause = min(FIRST_RETRY * (1 << min(tries - 1, 20)), LONGEST_RETRY)
    return pause * random.uniform(0.5, 1)


@dataclass(frozen=True, kw_only=True)
class OutboxTally:
    """How much mail is unsent."""

    pending: int
    failed: int
    # The `trying_since` of the oldest pending mail.
    oldest: datetime | None


class Outbox(Repository[OutboxMail, int], Protocol):
    """A mail gets its id when the unit of work writes it."""

    def next_due(self, now: datetime) -> OutboxMail | None:
        """Lock and return the pending mail that has been due for the longest time, skipping locked ones."""

    def delete_done(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` older mails that are sent or obsolete. Return their number."""

    def list_unfinished(self) -> Sequence[OutboxMail]:
        """Return pending and failed mail, oldest first."""

    def tally(self) -> OutboxTally:
        ...


class OutboxUnitOfWork(UnitOfWork, Protocol):

    @property
    def outbox(self) -> Outbox:
        ...


def tally(uow: OutboxUnitOfWork) -> OutboxTally:
    with uow:
        return uow.outbox.tally()


def replay(uow: OutboxUnitOfWork, id_: int, now: datetime) -> None:
    """Put a failed mail back in the queue. Raises NotFound, Conflict."""
    with uow:
        mail = uow.outbox.get_for_update(id_)
        if mail is None:
            raise NotFound(f'There is no mail {id_}')
        mail.replay(now)
        uow.commit()
