from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Identity, Integer, Table, Text, UniqueConstraint, select

from talelio_backend.app_account.business.domain.whitelist_entry import WhitelistEntry
from talelio_backend.shared.business.errors import BusinessError, Conflict
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository

EMAIL_UNIQUE = 'uq_whitelist_email'

whitelist_table = Table(
    'whitelist',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('email', Text, nullable=False),
    Column('note', Text, nullable=False),
    Column('added_at', INSTANT, nullable=False),
    Column('expires_at', INSTANT),
    UniqueConstraint('email', name=EMAIL_UNIQUE),
)


def map_whitelist_entry() -> None:
    mapper_registry.map_imperatively(WhitelistEntry, whitelist_table)


class SqlAlchemyWhitelist(SqlAlchemyRepository[WhitelistEntry]):
    """See `app_account.business.ports.WhitelistRepository`."""

    entity = WhitelistEntry

    def _errors(self, _entity: WhitelistEntry) -> Mapping[str, BusinessError]:
        return {EMAIL_UNIQUE: Conflict('Somebody else has just added the address')}

    def get_by_email(self, email: str) -> WhitelistEntry | None:
        return self._find(whitelist_table.c.email == email)

    def get_by_email_for_update(self, email: str) -> WhitelistEntry | None:
        return self._find(whitelist_table.c.email == email, lock=True)

    def all(self) -> Sequence[WhitelistEntry]:
        return self._list(select(WhitelistEntry).order_by(whitelist_table.c.email))
