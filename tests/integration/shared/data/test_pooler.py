"""The service behind PgBouncer in transaction mode, which passes neither notifications nor settings."""
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from talelio_backend.app_feed.data.change_log import next_due
from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data import change_listener
from talelio_backend.shared.data.change_listener import NOW, UNHEARD, UNHEARD_REMEDY, ChangeListener
from talelio_backend.shared.data.engine import SESSION_SETTINGS, make_engine
from tests.support.database import connect, execute, select_one
from tests.support.flask_command import flask
from tests.support.pgbouncer import PgBouncer
from tests.support.served_api import SECRET_KEY

# Of migrations, in migrations/env.py.
LOCK = 0x74616C65
ANY_CHANGE = 'UPDATE project_changes SET changed_at = now()'


@pytest.fixture(name='pooler')
def _pooler(tmp_path: Path, database_url: str) -> Iterator[PgBouncer]:
    with PgBouncer(tmp_path, database_url, ignored='options') as pooler:
        yield pooler


def test_a_listener_that_hears_nothing_knows_nothing_and_says_so_once(
    pooler: PgBouncer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(change_listener, 'CHECK_TIMEOUT', 0.2)
    engine = make_engine(pooler.url, pool_size=2)
    listener = ChangeListener(engine, next_due(NOW))
    with closing(listener), caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(Unavailable):
                listener.step()
            assert listener.version() is None
    engine.dispose()

    assert [record.getMessage() for record in caplog.records] == [f'{UNHEARD}. {UNHEARD_REMEDY}']


def test_a_listener_past_the_pooler_hears_what_others_write_through_it(
    tmp_path: Path, database_url: str
) -> None:
    # As PgBouncer is after its installation: it refuses settings of sessions.
    with PgBouncer(tmp_path, database_url) as pooler, closing(connect(pooler.url)) as writer:
        engine = make_engine(pooler.url, pool_size=2, by_role=True)
        direct = make_engine(database_url, pool_size=1)
        listener = ChangeListener(engine, next_due(NOW), direct)
        with closing(listener):
            listener.step()
            version = listener.version()
            assert version is not None

            execute(writer, "UPDATE users SET location = ''; TRUNCATE projects CASCADE")
            listener.step()

            assert listener.version() not in (None, version)
        engine.dispose()
        direct.dispose()


def upgrade(database_url: str, **attributes: object) -> None:
    config = Config(PROJECT_FOLDER / 'alembic.ini')
    config.attributes |= {'database_url': database_url, **attributes}
    command.upgrade(config, 'head')


def test_a_migration_past_the_pooler_gives_the_timeouts_to_the_sessions_of_requests(
    tmp_path: Path, database_url: str
) -> None:
    with PgBouncer(tmp_path, database_url) as pooler:
        upgrade(pooler.url, direct_database_url=database_url)

        engine = make_engine(pooler.url, pool_size=1, by_role=True)
        with engine.connect() as connection:
            query = text('SELECT current_setting(:name)')
            found = {name: connection.scalar(query, {'name': name}) for name in SESSION_SETTINGS}
        engine.dispose()

    assert found == SESSION_SETTINGS


def test_no_migration_runs_through_a_pooler_whose_sessions_would_keep_its_lock(
    pooler: PgBouncer, database_url: str
) -> None:
    with pytest.raises(CommandError, match='set DIRECT_DATABASE_URL'):
        upgrade(pooler.url)

    with closing(connect(database_url)) as database:
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
        assert select_one(database, locks, LOCK) == 0


def test_a_migration_does_not_wait_for_ever_for_another_one(database_url: str) -> None:
    with closing(connect(database_url)) as other:
        session = select_one(other, 'SELECT pg_backend_pid() FROM pg_advisory_lock(%s)', LOCK)

        with pytest.raises(CommandError, match=f'session {session} holds its advisory lock'):
            upgrade(database_url, lock_timeout=0)


def test_the_doctor_says_that_a_pooler_ignores_timeouts_and_passes_no_notifications(
    pooler: PgBouncer, database_url: str
) -> None:
    environ = {'ENV': 'testing', 'SECRET_KEY': SECRET_KEY, 'DATABASE_URL': pooler.url}

    assert 'sessions do not have their time-outs' in flask(environ, 'doctor').stdout

    upgrade(pooler.url, direct_database_url=database_url)
    pooler.command('RECONNECT')
    assert UNHEARD in flask(environ, 'doctor').stdout

    environ['DIRECT_DATABASE_URL'] = database_url
    assert 'PostgreSQL' in flask(environ, 'doctor').stdout
