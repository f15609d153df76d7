"""Kept answers while those that keep them cannot hear what others write: never older than the lease."""
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus

import pytest
import requests

from talelio_backend.shared.data.change_listener import LEASE
from tests.faults.cases import Case, for_each
from tests.faults.network import delay, slow
from tests.support.answers import error_of, ok
from tests.support.database import connect, execute, select_one
from tests.support.members import WHITELIST, Member, join, publish
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import PATIENCE, wait_until

CACHE = 'Kept answers'
READERS = 4
# Seconds between the moment at which an answer was decided upon and at which its reader looks at the clock.
SLACK = 0.5


@dataclass
class Reader:
    """Asks again and again, and notes when it asked, and which title it was shown; None for a 503."""

    url: str
    seen: list[tuple[float, str | None]] = field(default_factory=list)

    def run(self, stopping: threading.Event) -> None:
        with requests.Session() as session:
            while not stopping.is_set():
                asked = time.monotonic()
                response = session.get(self.url, timeout=PATIENCE)
                if response.status_code == HTTPStatus.OK:
                    self.seen.append((asked, ok(response)[0]['title']))
                else:
                    error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
                    self.seen.append((asked, None))

    def asked_after(self, moment: float) -> bool:
        return bool(self.seen) and self.seen[-1][0] > moment


@dataclass(frozen=True, kw_only=True)
class CacheCase(Case):
    begin: Callable[[OwnPostgres], None]
    # Whether there is a database to read from meanwhile, and one to write to.
    reads: bool = True
    writes: bool = True


def on_the_way(fault: Callable[[TcpProxy], None]) -> Callable[[OwnPostgres], None]:
    return lambda postgres: fault(postgres.proxy)


def end_backends(postgres: OwnPostgres) -> None:
    """All the service's, the listeners' among them."""
    with closing(connect(postgres.direct_url)) as database:
        query = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND datname = current_database()
        """
        assert select_one(database, query) > 0


def bring_back(postgres: OwnPostgres) -> None:
    postgres.start()
    postgres.proxy.forward()


MEANWHILE = 'somebody else writes, others read'
FRESH = f'nobody is shown what is more than {LEASE:g} s old; afterwards answers are kept again'
GONE = f'what is kept is shown for {LEASE:g} s at most, and 503 from then on'
CASES = [
    *(
        CacheCase(
            part=CACHE,
            fault=fault,
            meanwhile=MEANWHILE,
            holds=FRESH,
            begin=begin,
            reads=reads,
            quick=fault == 'listeners reset',
        ) for fault, begin, reads in (
            ('listeners reset', on_the_way(TcpProxy.cut), True),
            ('listeners refused', on_the_way(TcpProxy.refuse), False),
            ('listeners hang', on_the_way(TcpProxy.hang), False),
            ('listeners are told late', on_the_way(delay), True),
            ('listeners are told slowly', on_the_way(slow), True),
            ('backends of the listeners ended', end_backends, True),
        )
    ),
    *(
        CacheCase(
            part=CACHE,
            fault=fault,
            meanwhile='others read',
            holds=GONE,
            begin=begin,
            reads=False,
            writes=False
        ) for fault, begin in (
            ('PostgreSQL is stopped', OwnPostgres.stop),
            ('PostgreSQL is killed', OwnPostgres.kill),
        )
    ),
]


@pytest.fixture(name='postgres', scope='module')
def _postgres(tmp_path_factory: pytest.TempPathFactory,
              migrated_cluster: MigratedCluster) -> Iterator[OwnPostgres]:
    with own_postgres(tmp_path_factory.mktemp('postgres'), migrated_cluster) as postgres:
        yield postgres


@pytest.fixture(name='api', scope='module')
def _api(tmp_path_factory: pytest.TempPathFactory, postgres: OwnPostgres) -> Iterator[ServedApi]:
    environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    with ServedApi(tmp_path_factory.mktemp('cached'), postgres.url, environ) as api:
        yield api


@for_each(CASES)
def test_nothing_old_is_shown(api: ServedApi, postgres: OwnPostgres, case: CacheCase) -> None:
    author = join(api)
    publish(api, author, 'old', 'text')
    wait_until(lambda: is_kept(api, postgres, author), 'answers are kept')
    readers = [Reader(api.url + author.projects_path) for _ in range(READERS)]
    stopping = threading.Event()
    with ThreadPoolExecutor(READERS) as pool:
        running = [pool.submit(reader.run, stopping) for reader in readers]
        try:
            wait_until(lambda: all(reader.seen for reader in readers), 'all have read')
            case.begin(postgres)
            if case.writes:
                write_elsewhere(postgres, author)
            written = time.monotonic()
            late = written + LEASE + SLACK
            wait_until(lambda: all(reader.asked_after(late) for reader in readers), 'all have read again')
            assert api.get('/health/live').status_code == HTTPStatus.OK
        finally:
            stopping.set()
            bring_back(postgres)
        for each in running:
            each.result()

    assert_fresh(case, [one for reader in readers for one in reader.seen], written)
    title = 'new' if case.writes else 'old'
    assert [each['title'] for each in ok(api.get(author.projects_path))] == [title]
    wait_until(lambda: is_kept(api, postgres, author), 'answers are kept again')


def assert_fresh(case: CacheCase, seen: list[tuple[float, str | None]], written: float) -> None:
    late = {title for asked, title in seen if asked > written + LEASE + SLACK}
    assert 'old' not in late
    if case.reads:
        assert 'new' in late
        # A request may lose the connection that it has just been given; it is told so, and that is all.
        assert [title for _, title in seen].count(None) <= READERS
    elif not case.writes:
        assert late == {None}


def write_elsewhere(postgres: OwnPostgres, author: Member) -> None:
    """Past the API, as another server or a command does."""
    with closing(connect(postgres.direct_url)) as database:
        statement = "UPDATE projects SET title = 'new' WHERE user_id = %s"
        assert execute(database, statement, author.account['user']['id']) == 1


def is_kept(api: ServedApi, postgres: OwnPostgres, author: Member) -> bool:
    """Whether a worker answers without the database, which is locked meanwhile."""
    with requests.Session() as session, closing(connect(postgres.direct_url, autocommit=False)) as holder:
        url = api.url + author.projects_path
        session.get(url, timeout=PATIENCE)
        execute(holder, 'LOCK TABLE projects, users IN ACCESS EXCLUSIVE MODE')
        return session.get(url, timeout=PATIENCE).status_code == HTTPStatus.OK
