from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Identity, Index, Integer, Table, Text, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB

from talelio_backend.shared.data.orm import INSTANT, metadata, text_enum
from talelio_backend.shared.data.repository import SqlAlchemyRepository
from talelio_backend.shared.mail.business.outbox import MailStatus, OutboxMail, OutboxTally

outbox_table = Table(
    'outbox',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('message_id', Uuid, nullable=False),
    Column('kind', Text, nullable=False),
    Column('payload', JSONB, nullable=False),
    Column('status', text_enum(MailStatus, 20), nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('due_at', INSTANT, nullable=False),
    Column('tries', Integer, nullable=False),
    Column('trying_since', INSTANT, nullable=False),
    Column('finished_at', INSTANT),
    Column('last_error', Text),
)
# The relays poll every second; finished mail would only bloat the index.
Index(
    'ix_outbox_due_at_pending',
    outbox_table.c.due_at,
    postgresql_where=outbox_table.c.status == MailStatus.PENDING,
)
# The metrics count failed mail among 30 days of sent mail.
Index(
    'ix_outbox_failed',
    outbox_table.c.id,
    postgresql_where=outbox_table.c.status == MailStatus.FAILED,
)


class SqlAlchemyOutbox(SqlAlchemyRepository[OutboxMail]):
    """See `shared.mail.business.outbox.Outbox`."""

    entity = OutboxMail
    table = outbox_table

    def add(self, entity: OutboxMail) -> None:
        # No flush, which would write unsaved entities of other repositories.
        self._session.add(entity)

    def next_due(self, now: datetime) -> OutboxMail | None:
        return self._session.scalar(
            select(OutboxMail).where(
                outbox_table.c.status == MailStatus.PENDING,
                outbox_table.c.due_at <= now,
            ).order_by(outbox_table.c.due_at).limit(1).with_for_update(skip_locked=True)
        )

    def delete_done(self, before: datetime, limit: int) -> int:
        is_done = outbox_table.c.status.in_([MailStatus.SENT, MailStatus.OBSOLETE])
        done = self._batch(limit, is_done, outbox_table.c.finished_at < before)
        return self._execute(delete(outbox_table).where(done))

    def list_unfinished(self) -> Sequence[OutboxMail]:
        unfinished = outbox_table.c.status.in_([MailStatus.PENDING, MailStatus.FAILED])
        return self._list(select(OutboxMail).where(unfinished).order_by(outbox_table.c.id))

    def tally(self) -> OutboxTally:
        columns = outbox_table.c
        # Two queries, each with an index.
        pending, oldest = self._session.execute(
            select(func.count(), func.min(columns.trying_since)).where(columns.status == MailStatus.PENDING)
        ).one()
        failed = select(func.count()).where(columns.status == MailStatus.FAILED)
        return OutboxTally(pending=pending, oldest=oldest, failed=self._session.scalar(failed) or 0)
