"""The one registry that every feature's mapping adds to, and the column types they share."""
from enum import StrEnum

from sqlalchemy import DateTime, Dialect, MetaData, Text, TypeDecorator
from sqlalchemy.orm import registry

# Named constraints can be altered by a migration and recognised in an error.
# https://alembic.sqlalchemy.org/en/latest/naming.html
metadata = MetaData(
    naming_convention={
        'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
        'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
        'ck': 'ck_%(table_name)s_%(constraint_name)s',
        'fk': 'fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s',
        'pk': 'pk_%(table_name)s',
    }
)

mapper_registry = registry(metadata=metadata)

# An instant, kept by PostgreSQL to the microsecond and handed out in UTC (see database.py).
Instant = DateTime(timezone=True)


class TextEnum(TypeDecorator[StrEnum]):
    """A StrEnum kept as plain text: a new member needs no migration of a PostgreSQL type."""

    impl = Text
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self._members = members

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self._members(value)
