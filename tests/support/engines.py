"""What tests do to a database behind the back of the code under test, and how they watch it."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from talelio_backend.bootstrap import UnitOfWork, map_entities
from talelio_backend.shared.data.database import make_engine
from tests.support.database import copy_of
from tests.support.waiting import wait_until


@contextmanager
def copied_database(migrated_url: str) -> Iterator[Engine]:
    """A database for the tests of one file: to make one for each test would take most of their time."""
    map_entities()
    # pylint: disable-next=contextmanager-generator-missing-cleanup
    with copy_of(migrated_url) as url:
        engine = make_engine(url, pool_size=20)
        try:
            yield engine
        finally:
            engine.dispose()


class ProbingUnitOfWork(UnitOfWork):
    """The real one, that also takes SQL."""

    def run(self, statement: str, **parameters: Any) -> Any:
        """Return the first value of the first row, if any."""
        result = self._session.execute(text(statement), parameters)
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
    """A pool of its own to the same database, or to another one."""
    url = engine.url.set(database=database or engine.url.database, port=port or engine.url.port)
    other = make_engine(url.render_as_string(hide_password=False), pool_size=pool_size)
    try:
        yield other
    finally:
        other.dispose()


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
        SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = :database
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
