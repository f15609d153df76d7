"""Run by Alembic: finds the database and runs the migrations under a lock."""
import logging
from contextlib import suppress
from time import sleep

from alembic import context
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from talelio_backend.bootstrap import map_entities
from talelio_backend.settings import Settings
from talelio_backend.settings.database import open_database
from talelio_backend.shared.data.orm import metadata

# Any number that nothing else in this database uses: 'tale' in ASCII.
_LOCK = 0x74616C65
# Seconds between two looks whether the lock is free.
_PAUSE = 0.2
_logger = logging.getLogger('alembic.env')

map_entities()


def _migrate(connection: Connection) -> None:
    # Several tasks may start at once; all but the first find nothing left to do. The lock is the
    # session's, so that it spans the transactions of all migrations.
    # A session that waits for it in one statement holds a snapshot, and CREATE INDEX CONCURRENTLY, in the
    # session that has the lock, would wait for that snapshot to end.
    while not connection.scalar(text('SELECT pg_try_advisory_lock(:lock)'), {'lock': _LOCK}):
        connection.commit()
        sleep(_PAUSE)
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
        if _goes_to_head() and _is_newer_than_this_code():
            _logger.warning('The schema is of a newer release, which this one can work with: nothing to do')
            return
        with context.begin_transaction():
            context.run_migrations()
    finally:
        # Where the connection is lost the lock is free, and the error that tells of it must not be hidden.
        with suppress(DBAPIError):
            connection.rollback()
            connection.execute(text('SELECT pg_advisory_unlock(:lock)'), {'lock': _LOCK})
            connection.commit()


def _goes_to_head() -> bool:
    return context.get_context().opts.get('destination_rev') == 'head'


def _is_newer_than_this_code() -> bool:
    # So it is after a return to the release before: its own revisions are all known.
    current = context.get_context().get_current_revision()
    known = {revision.revision for revision in ScriptDirectory.from_config(context.config).walk_revisions()}
    return current is not None and current not in known


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
