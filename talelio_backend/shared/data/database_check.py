import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from talelio_backend.shared.business.checkup import Finding, fail
from talelio_backend.shared.business.database_checkup import DatabaseState, judge_database, judge_schema
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.database import APPLICATION_NAME, make_engine
from talelio_backend.shared.data.embedded_postgres.programs import EmbeddedPostgresError
from talelio_backend.shared.data.schema_version import SchemaVersion

_NAME = 'database'
_CONNECT_TIMEOUT = 2.0  # seconds

# A session of the same service, which may be running meanwhile, takes nothing from it. `reserved_connections`
# came with PostgreSQL 16. A limit of -1 is none.
_STATE = text(
    """
    WITH others AS (
        SELECT datid, usesysid FROM pg_stat_activity
        WHERE usesysid IS NOT NULL AND pid <> pg_backend_pid()
        AND NOT (application_name = :name AND datname = current_database() AND usename = session_user)
    )
    SELECT
        current_setting('server_version') AS version,
        pg_is_in_recovery() AS is_standby,
        current_setting('transaction_read_only') = 'on' AS is_read_only,
        pg_encoding_to_char(d.encoding) AS encoding,
        extract(epoch FROM clock_timestamp())::float8 AS clock,
        least(
            current_setting('max_connections')::int
                - current_setting('superuser_reserved_connections')::int
                - coalesce(current_setting('reserved_connections', true)::int, 0)
                - (SELECT count(*) FROM others),
            nullif(d.datconnlimit, -1) - (SELECT count(*) FROM others WHERE datid = d.oid),
            nullif(r.rolconnlimit, -1) - (SELECT count(*) FROM others WHERE usesysid = r.oid)
        ) AS connections,
        ARRAY(
            SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname = current_schema() AND relkind = 'r' AND relname <> 'alembic_version'
            AND NOT (
                has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
            )
            ORDER BY relname
        ) AS closed_tables
    FROM pg_database d, pg_roles r
    WHERE d.datname = current_database() AND r.rolname = session_user
    """
)


@dataclass(frozen=True, kw_only=True)
class DatabaseCheck:
    # Yields SQLAlchemy's form of the URL.
    open_url: Callable[[], AbstractContextManager[str]]
    migrations: Path
    wanted_connections: int
    # Whether the start of the server migrates.
    migrates_itself: bool

    def examine(self) -> Iterator[Finding]:
        try:
            with self.open_url() as url:
                yield from self._examine(url)
        except EmbeddedPostgresError as error:
            yield fail(
                _NAME, f'the embedded PostgreSQL cannot be had: {error}',
                'See what it says, or set DATABASE_URL to another PostgreSQL'
            )

    def _examine(self, url: str) -> Iterator[Finding]:
        try:
            parts = make_url(url)
        except (SQLAlchemyError, ValueError):
            yield fail(
                _NAME, 'DATABASE_URL is malformed',
                'Write it as postgresql://user:password@host/name, with %XX for special characters'
            )
            return
        if '@' in (parts.host or ''):
            # What would be looked up as a host begins with a piece of the password.
            yield fail(
                _NAME, 'the user or the password in DATABASE_URL holds an @', 'Write it as %40 in the URL'
            )
            return
        engine = make_engine(url, pool_size=1)
        try:
            with engine.connect() as connection:
                state = _read(connection, parts)
            yield from judge_database(state, wanted_connections=self.wanted_connections)
            schema = SchemaVersion(engine, self.migrations)
            current = schema.current()
            yield judge_schema(
                current, schema.head, is_older=schema.is_older(current), migrates_itself=self.migrates_itself
            )
        except Unavailable:
            yield fail(_NAME, 'went away meanwhile', 'See whether it keeps up, and try again')
        except (DBAPIError, UnicodeError) as error:
            yield _failure(parts, error)
        finally:
            engine.dispose()


def _read(connection: Connection, parts: URL) -> DatabaseState:
    # The connection is made by now: what lies between is one round trip.
    began = time.time()
    row = connection.execute(_STATE, {'name': APPLICATION_NAME}).one()
    now = (began + time.time()) / 2
    return DatabaseState(
        place=_place(parts),
        version=row.version.split()[0],
        is_standby=row.is_standby,
        is_read_only=row.is_read_only,
        encoding=row.encoding,
        clock_ahead=row.clock - now,
        connections=row.connections,
        closed_tables=tuple(row.closed_tables),
    )


def _failure(parts: URL, error: Exception) -> Finding:
    found = f'{_place(parts)}: {_reason(error)}'
    if _is_reached(parts):
        return fail(
            _NAME, found,
            'The server is there: set user, password and database name in DATABASE_URL right, or let this '
            'machine in (pg_hba.conf); see the server\'s log'
        )
    return fail(
        _NAME, found, 'Start PostgreSQL, or set host and port in DATABASE_URL right; see that no firewall '
        'stands between'
    )


def _reason(error: Exception) -> str:
    original = getattr(error, 'orig', None)
    lines = str(original).strip().splitlines() if original else []
    if not lines:
        return type(original or error).__name__
    # libpq says once more where it was.
    return lines[0].partition(' failed: ')[2] or lines[0]


def _is_reached(parts: URL) -> bool:
    try:
        with closing(socket.create_connection(_address(parts), _CONNECT_TIMEOUT)):
            return True
    except (OSError, UnicodeError):
        return False


def _address(parts: URL) -> tuple[str, int]:
    return parts.host or '', parts.port or 5432


def _place(parts: URL) -> str:
    host, port = _address(parts)
    return f'{host}:{port}/{parts.database}'
