"""Alembic's environment: runs the migrations under an advisory lock."""
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

# An arbitrary number, unique in this database: 'tale' in ASCII.
_LOCK = 0x74616C65
# Seconds between attempts to take the lock.
_PAUSE = 0.2
_logger = logging.getLogger('alembic.env')

map_entities()


def _migrate(connection: Connection) -> None:
    # Several tasks may start concurrently. A session-level lock spans the transactions of all migrations.
    # Poll: a session that blocks in a statement holds a snapshot, for which CREATE INDEX CONCURRENTLY in the
    # session with the lock would wait.
    while not connection.scalar(text('SELECT pg_try_advisory_lock(:lock)'), {'lock': _LOCK}):
        connection.commit()
        sleep(_PAUSE)
    # A migration that waits for a lock blocks all later queries.
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
            _logger.warning('The schema belongs to a newer, compatible release: nothing to do')
            return
        with context.begin_transaction():
            context.run_migrations()
    finally:
        # A lost connection releases the lock; do not hide the original error.
        with suppress(DBAPIError):
            connection.rollback()
            connection.execute(text('SELECT pg_advisory_unlock(:lock)'), {'lock': _LOCK})
            connection.commit()


def _goes_to_head() -> bool:
    return context.get_context().opts.get('destination_rev') == 'head'


def _is_newer_than_this_code() -> bool:
    # True after a rollback to the previous release.
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
