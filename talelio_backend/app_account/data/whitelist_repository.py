from collections.abc import Sequence

from sqlalchemy import Column, Identity, Integer, Table, Text, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talelio_backend.app_account.business.whitelist_entry import WhitelistEntry
from talelio_backend.shared.business.errors import Conflict
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata

whitelist_table = Table(
    'whitelist',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('email', Text, nullable=False),
    Column('note', Text, nullable=False),
    Column('added_at', INSTANT, nullable=False),
    Column('expires_at', INSTANT),
    UniqueConstraint('email'),
)


def map_whitelist_entry() -> None:
    mapper_registry.map_imperatively(WhitelistEntry, whitelist_table)


class SqlAlchemyWhitelist:
    """See `app_account.business.ports.WhitelistRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entry: WhitelistEntry) -> None:
        self._session.add(entry)
        try:
            self._session.flush()
        except IntegrityError as error:
            # There is one constraint to break.
            raise Conflict('Somebody else has just added the address') from error

    def get(self, email: str) -> WhitelistEntry | None:
        return self._session.scalar(select(WhitelistEntry).where(whitelist_table.c.email == email))

    def get_for_update(self, email: str) -> WhitelistEntry | None:
        return self._session.scalar(
            select(WhitelistEntry).where(whitelist_table.c.email == email).with_for_update()
        )

    def delete(self, entry: WhitelistEntry) -> None:
        self._session.delete(entry)

    def all(self) -> Sequence[WhitelistEntry]:
        return self._session.scalars(select(WhitelistEntry).order_by(whitelist_table.c.email)).all()
