from collections.abc import Sequence

from sqlalchemy import Column, ForeignKey, Identity, Integer, Table, Text, select

from talelio_backend.app_account.business.domain.email_change import EmailChange
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository

email_change_table = Table(
    'email_changes',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('account_id', ForeignKey('accounts.id', ondelete='CASCADE'), nullable=False, index=True),
    Column('old_email', Text, nullable=False),
    Column('new_email', Text, nullable=False),
    Column('requested_at', INSTANT, nullable=False),
    Column('confirmed_at', INSTANT),
)


def map_email_change() -> None:
    mapper_registry.map_imperatively(EmailChange, email_change_table)


class SqlAlchemyEmailChangeRepository(SqlAlchemyRepository[EmailChange]):
    """See `app_account.business.ports.EmailChangeRepository`."""

    entity = EmailChange

    def of_account(self, account_id: int) -> Sequence[EmailChange]:
        columns = email_change_table.c
        query = select(EmailChange).where(columns.account_id == account_id).order_by(columns.id)
        return self._list(query)
