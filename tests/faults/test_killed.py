"""Processes that are ended with `kill -9` in the midst of a write."""
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests
from psycopg2.extensions import connection
from requests import Response

from talelio_backend.shared.data.engine import APPLICATION_NAME
from tests.faults.cases import Case, for_each
from tests.faults.trial import Outcome, Service, check_mended, is_done, is_served
from tests.support.at_once import at_once
from tests.support.attempts import Attempt, Prepare
from tests.support.database import connect, execute, select_one
from tests.support.members import WHITELIST
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.processes import children_of, command_of, family_of
from tests.support.prometheus import METRICS, total
from tests.support.served_api import ServedApi
from tests.support.uploads import stored_files
from tests.support.waiting import PATIENCE, wait_until
from tests.support.writes import WRITES

WORKERS = 2
# What each write waits for while somebody else locks it: by then it is under way, and not committed.
LOCKS = {
    'registration_register': 'outbox',
    'recovery_reset': 'outbox',
    'own_account_delete': 'sessions',
    'projects_publish': 'projects',
    'projects_publish, with a key': 'projects',
    'projects_change': 'projects',
    'projects_delete': 'projects',
    'assets_upload': 'images',
    'assets_delete_own': 'images',
    'avatar_set_avatar': 'users',
}
# As the commands of the children name them.
MARKDOWN, PICTURES = 'markdown_html', 'image_codec'
BROKEN_OFF = 'the connection breaks, or a 503; nothing of it is there, and it can be done again'


@dataclass(frozen=True, kw_only=True)
class Stage:
    api: ServedApi
    postgres: OwnPostgres

    @property
    def service(self) -> Service:
        """PostgreSQL has another port after each start."""
        images = Path(self.api.environ['IMAGE_FOLDER'])
        return Service(
            api=self.api, database_url=self.postgres.direct_url, stored=lambda: stored_files(images)
        )


@pytest.fixture(name='stage', scope='module')
def _stage(tmp_path_factory: pytest.TempPathFactory, migrated_cluster: MigratedCluster) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp('service')
    environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST), 'WEB_CONCURRENCY': str(WORKERS), **METRICS}
    with own_postgres(tmp_path_factory.mktemp('postgres'), migrated_cluster) as postgres:
        api = ServedApi(folder, postgres.url, environ, afresh=True)
        try:
            api.start()
            # A port that stays through a restart.
            api.environ['PORT'] = api.url.rpartition(':')[2]
            yield Stage(api=api, postgres=postgres)
        finally:
            if api.runs:
                api.kill()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_workers(stage: Stage) -> None:
    for worker in children_of(stage.api.pid):
        kill(worker)


def kill_gunicorn(stage: Stage) -> None:
    stage.api.kill()


def kill_backends(stage: Stage) -> None:
    """One such death makes PostgreSQL end all others and recover, as it cannot trust its memory any more."""
    for process in children_of(stage.postgres.postmaster):
        if 'talelio' in command_of(process):
            kill(process)


def end_backends(stage: Stage) -> None:
    """As an administrator does."""
    with closing(connect(stage.postgres.direct_url)) as database:
        query = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s
        """
        assert select_one(database, query, APPLICATION_NAME) > 0


def kill_postmaster(stage: Stage) -> None:
    """Alone: its children notice, and end by themselves."""
    family = list(family_of(stage.postgres.postmaster))
    kill(family[0])
    wait_until(lambda: not any(command_of(each) for each in family), 'the others have ended')


def kill_postgres(stage: Stage) -> None:
    stage.postgres.kill()


@dataclass(frozen=True, kw_only=True)
class KillCase(Case):
    prepare: Prepare
    table: str
    kill: Callable[[Stage], None]


CASES = [
    KillCase(
        part=part,
        fault=fault,
        meanwhile=name,
        holds=BROKEN_OFF,
        prepare=WRITES[name],
        table=table,
        kill=victim,
    ) for part, fault, victim in (
        ('Gunicorn', 'kill -9 of the workers', kill_workers),
        ('Gunicorn', 'kill -9 of all', kill_gunicorn),
        ('PostgreSQL', 'kill -9 of the backends', kill_backends),
        ('PostgreSQL', 'pg_terminate_backend', end_backends),
        ('PostgreSQL', 'kill -9 of the postmaster', kill_postmaster),
        ('PostgreSQL', 'kill -9 of all', kill_postgres),
    ) for name, table in LOCKS.items()
]


@for_each(CASES)
def test_a_write_that_is_under_way(stage: Stage, case: KillCase) -> None:
    attempt = case.prepare(stage.api)
    with ThreadPoolExecutor(1) as pool:
        asked = under_way(pool, stage, attempt, case)
        heard = answer_of(asked)
    bring_back(stage)

    if heard is not None:
        assert not is_served(heard, attempt, Outcome.EITHER)
    assert not is_done(stage.service, attempt)
    check_mended(stage.service, attempt)


def under_way(pool: ThreadPoolExecutor, stage: Stage, attempt: Attempt, case: KillCase) -> Future[Response]:
    """Begin the write and do the kill while it waits for a lock."""
    with closing(connect(stage.postgres.direct_url, autocommit=False)) as holder:
        execute(holder, f'LOCK TABLE {case.table} IN SHARE MODE')
        asked = pool.submit(attempt.send)
        with closing(connect(stage.postgres.direct_url)) as observer:
            wait_until(partial(somebody_waits, observer), 'the write waits for the lock')
        case.kill(stage)
        with suppress(requests.RequestException):
            asked.exception(timeout=PATIENCE)
    return asked


def somebody_waits(observer: connection) -> bool:
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()
    """
    return bool(select_one(observer, query))


@dataclass(frozen=True, kw_only=True)
class ChildCase(Case):
    prepare: Prepare
    function: str


CHILD_CASES = [
    ChildCase(
        part='Gunicorn',
        fault=f'kill -9 of the child that {does}',
        meanwhile=name,
        holds=Outcome.EITHER.value,
        prepare=WRITES[name],
        function=function,
        quick=name == 'projects_publish',
    ) for does, function, name in (
        ('renders Markdown', MARKDOWN, 'projects_publish'),
        ('renders Markdown', MARKDOWN, 'projects_publish, with a key'),
        ('renders Markdown', MARKDOWN, 'revisions_restore'),
        ('reads pictures', PICTURES, 'assets_upload'),
        ('reads pictures', PICTURES, 'avatar_set_avatar'),
    )
]


@for_each(CHILD_CASES)
def test_a_child_that_is_at_work(stage: Stage, case: ChildCase) -> None:
    """It is stopped until the write needs it, and then killed."""
    attempt = case.prepare(stage.api)
    # So that each worker has its child.
    for _ in range(2):
        at_once([case.prepare(stage.api).send for _ in range(2 * WORKERS)])
    children = [each for each in family_of(stage.api.pid) if case.function in command_of(each)]
    assert children
    for child in children:
        os.kill(child, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(attempt.send)
        wait_until(lambda: asked.done() or is_at_work(stage.api), 'the write needs a child')
        for child in children:
            kill(child)
        response = asked.result()

    if is_served(response, attempt, Outcome.EITHER):
        assert is_done(stage.service, attempt)
    else:
        assert not is_done(stage.service, attempt)
    check_mended(stage.service, attempt)


def is_at_work(api: ServedApi) -> bool:
    return any(total(api, 'talelio_work_in_progress', what=what) for what in ('texts', 'pictures'))


def answer_of(asked: Future[Response]) -> Response | None:
    try:
        return asked.result()
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return None


def bring_back(stage: Stage) -> None:
    stage.postgres.start()
    if not stage.api.runs:
        stage.api.start()
    wait_until(lambda: len(children_of(stage.api.pid)) == WORKERS, 'all workers are there')
    wait_until(lambda: is_ready(stage.api), 'ready')


def is_ready(api: ServedApi) -> bool:
    with suppress(requests.ConnectionError):
        return api.get('/health/ready').status_code == 200
    return False
