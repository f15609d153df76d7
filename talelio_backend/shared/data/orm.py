"""The registry of all mappings, and shared column types."""
from enum import Enum

from sqlalchemy import DateTime
from sqlalchemy import Enum as EnumType
from sqlalchemy import MetaData
from sqlalchemy.orm import registry

# Migrations can alter named constraints, and error handling can recognise them.
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

# A point in time with microseconds. Sessions use UTC (see engine.py).
INSTANT = DateTime(timezone=True)


def text_enum(values: type[Enum], length: int) -> EnumType:
    """Store the values as plain text, so that a new one needs no migration of a PostgreSQL type."""
    return EnumType(
        values, native_enum=False, length=length, values_callable=lambda each: [one.value for one in each]
    )
