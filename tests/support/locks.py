"""Requests that a test holds at a lock of the database, to know where they are."""
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.support.database import connect, execute, select_one
from tests.support.waiting import wait_until

_WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@contextmanager
def locked(url: str, table: str, mode: str = 'SHARE') -> Iterator[None]:
    """Lock a table while the block lasts. By default it can still be read."""
    with closing(connect(url, autocommit=False)) as holder:
        execute(holder, f'LOCK TABLE {table} IN {mode} MODE')
        yield


def wait_for_waiting(url: str, number: int = 1) -> None:
    """Return when that many statements wait for a lock."""
    with closing(connect(url)) as database:
        query = f'SELECT count(*) {_WAITING}'
        wait_until(lambda: select_one(database, query) >= number, f'{number} waiting for a lock')


def cancel_waiting(url: str) -> None:
    """Cancel a statement as soon as it waits for a lock."""
    with closing(connect(url)) as database:
        query = f'SELECT count(pg_cancel_backend(pid)) {_WAITING}'
        wait_until(lambda: select_one(database, query), 'a statement to cancel')
