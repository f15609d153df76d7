"""What tests do to a database behind the back of the code under test, and how they watch it."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from talelio_backend.bootstrap import UnitOfWork, map_entities
from talelio_backend.shared.data.engine import make_engine
from tests.support.database import copy_of
from tests.support.waiting import wait_until

# What only a test that hangs waits for.
_PATIENCE = {
    'statement_timeout': '60s',
    'lock_timeout': '60s',
    'idle_in_transaction_session_timeout': '60s',
}


def patient_engine(url: str, *, pool_size: int = 20, **settings: str) -> Engine:
    """The service's engine without its bounds on waiting, which a busy machine could meet.

    `settings` of the session are for the test that lets something meet one.
    """
    engine = make_engine(url, pool_size=pool_size)

    @event.listens_for(engine, 'do_connect')
    def _wait_longer(
        _dialect: object, _entry: object, _arguments: object, parameters: dict[str, Any]
    ) -> None:
        # The last of several options of one name holds.
        bounds = (f' -c {name}={value}' for name, value in (_PATIENCE | settings).items())
        parameters['options'] += ''.join(bounds)
        # Its connections give up on a server that is silent.
        del parameters['connection_factory']

    return engine


@contextmanager
def copied_database(migrated_url: str) -> Iterator[Engine]:
    """A database for the tests of one file: to make one for each test would take most of their time."""
    map_entities()
    # pylint: disable-next=contextmanager-generator-missing-cleanup
    with copy_of(migrated_url) as url:
        engine = patient_engine(url)
        try:
            yield engine
        finally:
            engine.dispose()


class ProbingUnitOfWork(UnitOfWork):
    """The real one, that also takes SQL."""

    def run(self, statement: str, **parameters: Any) -> Any:
        """Return the first value of the first row, if any."""
        result = self.session.execute(text(statement), parameters)
        return result.scalar() if result.returns_rows else None  # type: ignore[attr-defined]


def scalar(engine: Engine, statement: str, **parameters: Any) -> Any:
    """Run a statement in a transaction of its own; return the first value of the first row, if any."""
    with ProbingUnitOfWork(engine) as uow:
        value = uow.run(statement, **parameters)
        uow.commit()
    return value


@contextmanager
def other_engine(engine: Engine,
                 *,
                 database: str | None = None,
                 port: int | None = None,
                 pool_size: int = 5) -> Iterator[Engine]:
    """The service's engine, with its bounds, to the same database or to another one."""
    url = engine.url.set(database=database or engine.url.database, port=port or engine.url.port)
    other = make_engine(url.render_as_string(hide_password=False), pool_size=pool_size)
    try:
        yield other
    finally:
        other.dispose()


@contextmanager
def impatient_engine(engine: Engine) -> Iterator[Engine]:
    """To the same database; it does not wait for a lock that somebody else keeps."""
    url = engine.url.render_as_string(hide_password=False)
    impatient = patient_engine(url, lock_timeout='50ms')
    try:
        yield impatient
    finally:
        impatient.dispose()


def wait_for_waiters(engine: Engine, number: int = 1) -> None:
    """Return when so many sessions of the database wait for a lock that another one holds."""
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    wait_until(lambda: bool(scalar(engine, waiting) >= number), f'{number} sessions waiting for a lock')


@contextmanager
def outage(engine: Engine) -> Iterator[None]:
    """As long as the block lasts, the database has no connection and accepts none."""
    name = engine.dialect.identifier_preparer.quote(engine.url.database or '')
    end_all = """
        SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE datname = :database
    """
    with other_engine(engine, database='postgres') as maintenance:
        scalar(maintenance, f'ALTER DATABASE {name} ALLOW_CONNECTIONS false')
        try:
            scalar(maintenance, end_all, database=engine.url.database)
            yield
        finally:
            scalar(maintenance, f'ALTER DATABASE {name} ALLOW_CONNECTIONS true')


def plan_of(engine: Engine, action: Callable[[], object]) -> str:
    """How the server would run the one statement that the action sends."""
    sent: list[tuple[str, Any]] = []

    def remember(
        _connection: Connection, _cursor: object, statement: str, parameters: Any, _context: object,
        _many: bool
    ) -> None:
        sent.append((statement, parameters))

    event.listen(engine, 'before_cursor_execute', remember)
    try:
        action()
    finally:
        event.remove(engine, 'before_cursor_execute', remember)
    assert len(sent) == 1
    statement, parameters = sent[0]
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f'EXPLAIN {statement}', parameters)
        return '\n'.join(row[0] for row in rows)
