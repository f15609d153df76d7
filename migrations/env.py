"""Run by Alembic: finds the database and runs the migrations under a lock."""
import logging
from contextlib import suppress

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from talelio_backend.bootstrap import map_entities
from talelio_backend.config import Settings
from talelio_backend.database_url import open_database
from talelio_backend.shared.data.orm import metadata

# Any number that nothing else in this database uses: 'tale' in ASCII.
_LOCK = 0x74616C65

map_entities()


def _migrate(connection: Connection) -> None:
    # Several tasks may start at once; all but the first find nothing left to do. The lock is the
    # session's, so that it spans the transactions of all migrations.
    # However long the first one takes.
    connection.execute(text('SET lock_timeout = 0'))
    connection.execute(text('SET statement_timeout = 0'))
    connection.execute(text('SELECT pg_advisory_lock(:lock)'), {'lock': _LOCK})
    # A migration that waits behind a long query makes every later query wait behind itself.
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '5min'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        # Where the connection is lost the lock is free, and the error that tells of it must not be hidden.
        with suppress(DBAPIError):
            connection.rollback()
            connection.execute(text('SELECT pg_advisory_unlock(:lock)'), {'lock': _LOCK})
            connection.commit()


def _main() -> None:
    given = context.config.attributes.get('database_url')
    if given is not None:
        _connect(given)
        return
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger('alembic').setLevel(logging.INFO)
    with open_database(Settings.from_env()) as url:
        _connect(url)


def _connect(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        _migrate(connection)


_main()
