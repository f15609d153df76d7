"""Tests the order of changes on PostgreSQL, where transactions commit in any order."""
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random

import pytest
from psycopg2.extensions import connection
from sqlalchemy import Engine

from talelio_backend.app_feed.data import change_log
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.errors import Unavailable
from tests.support.at_once import at_once
from tests.support.backings import RealBacking, committed_account
from tests.support.database import connect, execute
from tests.support.engines import impatient_engine, other_engine, scalar, wait_for_waiters
from tests.support.samples import NOW, new_project

INSERT = "INSERT INTO projects (user_id, created_at, title, body, html) VALUES (%s, now(), %s, '', '')"


@pytest.fixture(name='user_id')
def fixture_user_id(engine: Engine) -> int:
    return committed_account(RealBacking(engine)).user.id


@contextmanager
def opened(engine: Engine) -> Iterator[connection]:
    """A connection in a transaction."""
    url = engine.url.render_as_string(hide_password=False)
    with closing(connect(url, autocommit=False)) as connected:
        yield connected


def told(engine: Engine, after: int = 0) -> list[tuple[int, str | None]]:
    with UnitOfWork(engine) as uow:
        changes = uow.changes.after(after, 10_000).changes
    return [(each.number, None if each.project is None else each.project.title) for each in changes]


def titles(engine: Engine, after: int = 0) -> list[str | None]:
    return [title for _, title in told(engine, after)]


def test_a_late_commit_gets_a_later_number(engine: Engine, user_id: int) -> None:
    # Different users, because two transactions of one user wait for each other in project_counts.
    other_id = committed_account(RealBacking(engine), 'other').user.id
    with opened(engine) as early, opened(engine) as late:
        execute(early, INSERT, user_id, 'began first')
        execute(late, INSERT, other_id, 'began second')
        late.commit()
        (cursor, title), = told(engine)
        assert title == 'began second'

        early.commit()

        assert titles(engine, cursor) == ['began first']


def test_a_commit_delays_the_next_number(engine: Engine, user_id: int) -> None:
    """Otherwise, a client could see a number before smaller ones are visible."""
    with opened(engine) as first:
        execute(first, INSERT, user_id, 'first')
        # Run the trigger as at the start of a commit, without committing yet.
        execute(first, 'SET CONSTRAINTS ALL IMMEDIATE')

        def commit_second() -> None:
            with opened(engine) as second:
                execute(second, INSERT, user_id, 'second')
                second.commit()

        thread = threading.Thread(target=commit_second)
        thread.start()
        wait_for_waiters(engine)
        meanwhile = titles(engine)
        first.commit()
        thread.join()

    assert meanwhile == []
    assert titles(engine) == ['first', 'second']


def test_a_commit_that_waits_too_long_for_its_number_changes_nothing(engine: Engine, user_id: int) -> None:
    with opened(engine) as first:
        execute(first, INSERT, user_id, 'first')
        execute(first, 'SET CONSTRAINTS ALL IMMEDIATE')

        with impatient_engine(engine) as impatient, pytest.raises(Unavailable), UnitOfWork(impatient) as uow:
            uow.projects.add(new_project(user_id, title='second'))
            uow.commit()
        first.commit()

    assert titles(engine) == ['first']
    assert scalar(engine, 'SELECT count(*) FROM projects') == 1


def test_a_client_sees_every_change_of_concurrent_writers(engine: Engine, user_id: int) -> None:
    writers, steps = 6, 25
    done = threading.Event()
    copy: dict[int, str] = {}

    def write(number: int) -> None:
        random = Random(number)
        with opened(engine) as writer:
            for step in range(steps):
                # Writers share projects. Some transactions change several, and some roll back.
                for _ in range(random.randint(1, 3)):
                    execute(writer, INSERT, user_id, f'{number}-{step}')
                victim = "id IN (SELECT id FROM projects ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)"
                execute(writer, f'UPDATE projects SET title = title || %s WHERE {victim}', '+')
                if random.random() < 0.4:
                    execute(writer, f'DELETE FROM projects WHERE {victim}')
                # Delay the commit.
                execute(writer, 'SET CONSTRAINTS ALL IMMEDIATE')
                for _ in range(random.randint(0, 9)):
                    execute(writer, 'SELECT')
                (writer.commit if random.random() < 0.8 else writer.rollback)()

    def follow() -> None:
        cursor = 0
        last_round = False
        while True:
            with UnitOfWork(engine) as uow:
                batch = uow.changes.after(cursor, 7)
            for change in batch.changes:
                assert change.number > cursor
                cursor = change.number
                copy.pop(change.project_id, None)
                if change.project is not None:
                    copy[change.project_id] = change.project.title
            if last_round and not batch.has_more:
                return
            last_round = done.is_set()

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        at_once([lambda number=number: write(number) for number in range(writers)])  # type: ignore[misc]
    finally:
        done.set()
        follower.join()

    with engine.connect() as reader:
        rows = reader.exec_driver_sql('SELECT id, title FROM projects')
        there: dict[int, str] = dict(rows.all())
    assert copy == there
    assert len(there) > writers


def test_changes_by_the_previous_release_are_recorded(engine: Engine, user_id: int) -> None:
    with opened(engine) as before:
        execute(before, INSERT, user_id, 'A')
        before.commit()
        execute(before, "UPDATE projects SET title = 'B', updated_at = now()")
        before.commit()

    assert titles(engine) == ['B']


def test_deleting_an_account_records_the_removal_of_thousands_of_projects(
    engine: Engine, user_id: int
) -> None:
    with opened(engine) as owner:
        execute(
            owner, "INSERT INTO projects (user_id, created_at, title, body, html) "
            "SELECT %s, now(), '', '', '' FROM generate_series(1, 3000)", user_id
        )
        owner.commit()

    scalar(engine, 'DELETE FROM accounts')

    assert titles(engine) == [None] * 3000


def test_a_batch_is_bounded_in_size(engine: Engine, user_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, 'PAGE_SIZE', 1000)
    with UnitOfWork(engine) as uow:
        for _ in range(4):
            uow.projects.add(new_project(user_id, body='x' * 300))
        uow.commit()

    with UnitOfWork(engine) as uow:
        batch = uow.changes.after(0, 100)
    assert (len(batch.changes), batch.has_more) == (2, True)


def test_concurrent_readers_record_due_projects_once(engine: Engine, user_id: int) -> None:
    with UnitOfWork(engine) as uow:
        for _ in range(3):
            project = new_project(user_id)
            project.published_at = NOW.replace(year=2999)
            uow.projects.add(project)
        uow.commit()

    def read() -> list[int]:
        with UnitOfWork(engine) as uow:
            uow.changes.settle(NOW.replace(year=3000), purge_before=NOW)
            uow.commit()
        return [number for number, _ in told(engine)]

    seen = at_once([read] * 6)

    assert len(seen[0]) == len(set(seen[0])) == 3
    assert seen == [seen[0]] * 6


def test_a_copy_of_a_database_has_another_history(engine: Engine) -> None:
    copy = f'{engine.url.database}_copy'
    with UnitOfWork(engine) as uow:
        history = uow.changes.history()
    engine.dispose()
    with other_engine(engine, database='postgres') as server:
        with server.connect().execution_options(isolation_level='AUTOCOMMIT') as maintenance:
            maintenance.exec_driver_sql(f'CREATE DATABASE {copy} TEMPLATE {engine.url.database}')
            try:
                with other_engine(engine, database=copy) as restored, UnitOfWork(restored) as uow:
                    assert uow.changes.history() != history
            finally:
                maintenance.exec_driver_sql(f'DROP DATABASE {copy} WITH (FORCE)')


def test_any_role_can_read_the_history(engine: Engine) -> None:
    with engine.connect() as anybody:
        anybody.exec_driver_sql('CREATE ROLE anybody')
        try:
            anybody.exec_driver_sql('SET LOCAL ROLE anybody')
            for function in ('pg_control_system()', 'pg_walfile_name(pg_lsn)', 'pg_current_wal_insert_lsn()'):
                allowed = anybody.exec_driver_sql(
                    'SELECT has_function_privilege(%s, %s)', (function, 'execute')
                ).scalar()
                assert allowed, function
        finally:
            anybody.rollback()
