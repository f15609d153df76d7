from collections.abc import Iterator
from dataclasses import dataclass

from talelio_backend.shared.business.checkup import Finding, fail, judge_clock, ok, warn


@dataclass(frozen=True, kw_only=True)
class DatabaseState:
    """What a database says of itself."""

    # Host, port and name, for the operator.
    place: str
    version: str
    is_standby: bool
    is_read_only: bool
    encoding: str
    # Seconds that its clock is ahead of this machine's.
    clock_ahead: float
    # Connections that this service could have at once, if no others did: by the limits of the server, the
    # database and the role, less what others have open now.
    connections: int
    # Into which this role may not write, or not all that the service does.
    closed_tables: tuple[str, ...] = ()


def judge_database(state: DatabaseState, *, wanted_connections: int) -> Iterator[Finding]:
    yield ok('database', f'PostgreSQL {state.version} at {state.place}')
    yield _judge_writes(state)
    if state.encoding == 'UTF8':
        yield ok('database encoding', state.encoding)
    else:
        yield fail(
            'database encoding', f'{state.encoding}: not every text can be stored',
            'Make the database anew with: createdb --template=template0 --encoding=UTF8'
        )
    yield judge_clock('database clock', 'the database', state.clock_ahead)
    if state.connections >= wanted_connections:
        yield ok('database connections', f'{state.connections} can be had, {wanted_connections} are wanted')
    else:
        yield warn(
            'database connections',
            f'{state.connections} can be had, {wanted_connections} are wanted at most',
            'Raise max_connections (or the CONNECTION LIMIT of the role or the database), or lower '
            'WEB_CONCURRENCY'
        )


def _judge_writes(state: DatabaseState) -> Finding:
    name = 'database writes'
    if state.is_standby:
        return fail(name, 'the server is a standby, which only reads', 'Let DATABASE_URL name the primary')
    if state.is_read_only:
        return fail(
            name, 'transactions are read-only',
            'ALTER DATABASE … RESET default_transaction_read_only; also for the role and in postgresql.conf'
        )
    if state.closed_tables:
        return fail(
            name, f'this role may not read and write {", ".join(state.closed_tables)}',
            'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES (and USAGE ON ALL SEQUENCES) '
            'IN SCHEMA public to it, or use the role that migrates'
        )
    return ok(name, 'allowed')


def judge_schema(current: str | None, head: str, *, is_older: bool, migrates_itself: bool) -> Finding:
    """`is_older` than this code; `migrates_itself` says whether the start of the server migrates."""
    name = 'database schema'
    if current == head:
        return ok(name, f'at {head}')
    if not is_older:
        return warn(
            name, f'at {current}, which this release does not know; its own is {head}',
            'Run the release that migrated it, unless that is being rolled out just now'
        )
    found = f'at {current or "no revision at all"}, and this release wants {head}'
    if migrates_itself:
        return warn(name, found, 'make serve-api does it by itself; or: alembic upgrade head')
    return fail(name, found, 'alembic upgrade head')
