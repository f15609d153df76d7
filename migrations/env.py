"""Alembic's environment: runs the migrations under an advisory lock."""
import logging
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from alembic import context
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from talelio_backend.bootstrap import map_entities
from talelio_backend.settings import Settings
from talelio_backend.settings.database import open_database
from talelio_backend.shared.data.engine import SESSION_SETTINGS
from talelio_backend.shared.data.orm import metadata

# An arbitrary number, unique in this database: 'tale' in ASCII.
_LOCK = 0x74616C65
# Seconds between attempts to take the lock, and after which another migration that holds it counts as stuck.
_PAUSE = 0.2
_LOCK_TIMEOUT = 900.0
_HOLDER = """
    SELECT pid FROM pg_locks JOIN pg_database ON database = pg_database.oid
    WHERE datname = current_database() AND locktype = 'advisory' AND classid = 0 AND objid = :lock AND granted
"""
_logger = logging.getLogger('alembic.env')

map_entities()


def _migrate(connection: Connection, pooled_url: str | None) -> None:
    # Several tasks may start concurrently. A session-level lock spans the transactions of all migrations.
    # Poll: a session that blocks in a statement holds a snapshot, for which CREATE INDEX CONCURRENTLY in the
    # session with the lock would wait.
    give_up = monotonic() + context.config.attributes.get('lock_timeout', _LOCK_TIMEOUT)
    while not connection.scalar(text('SELECT pg_try_advisory_lock(:lock)'), {'lock': _LOCK}):
        holder = connection.scalar(text(_HOLDER), {'lock': _LOCK})
        connection.commit()
        if monotonic() > give_up:
            raise CommandError(f'Another migration does not end: session {holder} holds its advisory lock')
        sleep(_PAUSE)
    # A migration that waits for a lock blocks all later queries.
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '5min'"))
    # The role may have one that is made for requests.
    connection.execute(text('SET idle_in_transaction_session_timeout = 0'))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
    )
    try:
        if pooled_url is not None:
            _store_session_settings(connection, pooled_url)
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


def _refuse_pooler(connection: Connection) -> None:
    """A pooler's session would keep the lock and the time-outs, and pass them on to requests."""
    driver: Any = connection.connection.driver_connection
    if driver.info.backend_pid != connection.scalar(text('SELECT pg_backend_pid()')):
        raise CommandError(
            'DATABASE_URL leads to a connection pooler: set DIRECT_DATABASE_URL to the database itself, '
            'or to a pool in session mode'
        )
    connection.commit()


def _store_session_settings(connection: Connection, pooled_url: str) -> None:
    """Give the sessions of a pooler the settings that it takes from no client."""
    quote = connection.dialect.identifier_preparer.quote
    role = quote(make_url(pooled_url).username or connection.scalar(text('SELECT current_user')))
    database = quote(connection.scalar(text('SELECT current_database()')))
    for name, value in SESSION_SETTINGS.items():
        connection.execute(text(f"ALTER ROLE {role} IN DATABASE {database} SET {name} = '{value}'"))
    connection.commit()


def _main() -> None:
    given = context.config.attributes
    if 'database_url' in given:
        _connect(given['database_url'], given.get('direct_database_url'))
        return
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger('alembic').setLevel(logging.INFO)
    settings = Settings.from_env()
    with open_database(settings) as url:
        _connect(url, settings.direct_database_url)


def _connect(url: str, direct_url: str | None = None) -> None:
    engine = create_engine(direct_url or url, poolclass=NullPool)
    with engine.connect() as connection:
        if direct_url is None:
            _refuse_pooler(connection)
        _migrate(connection, None if direct_url is None else url)


_main()
