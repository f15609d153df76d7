"""The transactional outbox: mail that a use case decided on, kept in the same transaction as its cause.

A committed row is sent at least once, a rolled-back one never. The pattern:
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
from talelio_backend.shared.business.unit_of_work import UnitOfWork

# Longer than a mail server may take to accept a message, shorter than a person's timeout.
LEASE = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)
# A mail server that is down comes back within a day, or an operator has to look.
GIVE_UP_AFTER = timedelta(days=1)

# How long it can be seen that a mail was sent. Anybody can ask for links, and so adds rows.
RETENTION = timedelta(days=30)
# Rows of one transaction, so that pruning holds nobody up.
PRUNE_BATCH = 1000


class MailStatus(StrEnum):
    PENDING = 'pending'
    SENT = 'sent'
    # Not sent, because what it was about is no longer so.
    OBSOLETE = 'obsolete'
    # Given up; an operator may replay it.
    FAILED = 'failed'


@dataclass(eq=False, kw_only=True)
class OutboxMail:
    """A mail to be composed and sent. `kind` and `payload` say what about; the text is made on sending."""

    id: int = field(init=False)
    # The Message-ID, the same for every try, so that a mail sent twice is recognised as one.
    message_id: UUID = field(default_factory=uuid4)
    kind: str
    payload: dict[str, int]
    status: MailStatus = MailStatus.PENDING
    created_at: datetime
    # Not before this time: a lease while somebody sends it, a pause after a failure.
    due_at: datetime
    tries: int = 0
    # When trying began: the creation, or an operator's replay.
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
    """How much mail did not leave yet."""

    pending: int
    failed: int
    # Since when the one that waits the longest is to be sent.
    oldest: datetime | None


class Outbox(Protocol):

    def add(self, mail: OutboxMail) -> None:
        ...

    def get_for_update(self, id_: int) -> OutboxMail | None:
        """Return the mail, locked against others until the unit of work ends."""

    def next_due(self, now: datetime) -> OutboxMail | None:
        """Return a pending mail that nobody else holds, locked, the longest due first."""

    def delete_done(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` of those that were sent, or became obsolete, earlier. Return how many."""

    def list_unfinished(self) -> Sequence[OutboxMail]:
        """Return what is pending or failed, oldest first."""

    def tally(self) -> OutboxTally:
        ...


class OutboxUnitOfWork(UnitOfWork, Protocol):

    @property
    def outbox(self) -> Outbox:
        ...


def list_unfinished(uow: OutboxUnitOfWork) -> Sequence[OutboxMail]:
    with uow:
        return uow.outbox.list_unfinished()


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


def prune(uow: OutboxUnitOfWork, now: datetime) -> int:
    with uow:
        pruned = uow.outbox.delete_done(now - RETENTION, PRUNE_BATCH)
        uow.commit()
    return pruned
