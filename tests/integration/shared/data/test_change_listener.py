from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from psycopg2.extensions import connection
from sqlalchemy import Engine, make_url

from talelio_backend.app_feed.data.change_log import next_due
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data import change_listener
from talelio_backend.shared.data.change_listener import HEARTBEAT, LEASE, MIN_INTERVAL, NOW, ChangeListener
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.workers.periodic_thread import PeriodicThread
from tests.support.database import connect, execute
from tests.support.plans import statements
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import PATIENCE, wait_until

_ADD_USER = """
WITH account AS (
    INSERT INTO accounts (created_at, email, password_hash, verified, link_serial, link_requested_at)
    VALUES (now(), 'maker@example.com', '', true, 1, now()) RETURNING id
)
INSERT INTO users (account_id, created_at, username, location) SELECT id, now(), 'maker', '' FROM account
"""
_ADD_PROJECT = """
INSERT INTO projects (user_id, created_at, title, body, html, published_at)
SELECT id, now(), '', '', '', now() + %s * interval '1 second' FROM users
"""


@pytest.fixture(name='database')
def _database(database_url: str) -> Iterator[connection]:
    with closing(connect(database_url)) as connected:
        execute(connected, _ADD_USER)
        execute(connected, _ADD_PROJECT, 0)
        yield connected


class Clock:
    """Stands still until it is told otherwise: the modules `time` and `datetime` of the watch in one."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self._began = datetime.now(UTC)

    def monotonic(self) -> float:
        return 1000 + self.passed.total_seconds()

    def time(self) -> float:
        return self.now(UTC).timestamp()

    def now(self, zone: tzinfo) -> datetime:
        return (self._began + self.passed).astimezone(zone)


@pytest.fixture(name='clock')
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for name in ('time', 'datetime'):
        monkeypatch.setattr(change_listener, name, clock)
    return clock


@pytest.fixture(name='watch')
def _watch(database: connection, engine: Engine) -> Iterator[ChangeListener]:
    """One that waits in the test's own thread."""
    del database
    watch = ChangeListener(engine, next_due(NOW))
    watch.step()
    yield watch
    watch.close()


def test_nothing_is_known_before_it_listens(engine: Engine) -> None:
    assert ChangeListener(engine, next_due(NOW)).version() is None


def test_while_nothing_changes_it_is_the_same_version(watch: ChangeListener) -> None:
    version = watch.version()

    watch.step()

    assert version is not None
    assert watch.version() == version


@pytest.mark.parametrize(
    'statement',
    [
        _ADD_PROJECT.replace('%s', '0'),
        "UPDATE projects SET title = 'Other'",
        'DELETE FROM projects',
        'TRUNCATE projects CASCADE',
        "UPDATE users SET location = 'Lisboa'",
        # Its user goes with it.
        'DELETE FROM accounts',
        'UPDATE project_changes SET changed_at = now()',
    ]
)
def test_each_change_of_what_is_public_makes_another_one(
    watch: ChangeListener, database: connection, statement: str
) -> None:
    version = watch.version()

    execute(database, statement)
    watch.step()

    assert watch.version() not in (version, None)


@pytest.mark.parametrize(
    'statement', [
        'UPDATE accounts SET token_epoch = token_epoch + 1',
        "BEGIN; UPDATE projects SET title = 'Other'; ROLLBACK",
    ]
)
def test_what_nobody_can_see_makes_none(watch: ChangeListener, database: connection, statement: str) -> None:
    version = watch.version()

    execute(database, statement)
    watch.step()

    assert watch.version() == version


def test_whoever_writes_makes_another_one_for_all_that_share_it(
    engine: Engine, watch: ChangeListener
) -> None:
    page = memoryview(bytearray(8)).cast('Q')
    other = ChangeListener(engine, next_due(NOW))
    with closing(other):
        for each in (watch, other):
            each.share(page)
            each.step()
        versions = watch.version(), other.version()

        other.changed()

        assert watch.version() not in (versions[0], None)
        assert other.version() not in (versions[1], None)


def test_a_project_becomes_public_by_its_time_alone(
    clock: Clock, watch: ChangeListener, database: connection
) -> None:
    execute(database, _ADD_PROJECT, 3600)
    clock.passed += timedelta(seconds=HEARTBEAT)
    watch.step()
    version = watch.version()
    assert version is not None

    # Nobody knows from that time on, until the watch asks for the next one.
    clock.passed += timedelta(hours=2)
    assert watch.version() is None
    watch.step()

    assert watch.version() not in (version, None)


def test_each_of_many_changes_is_heard_and_one_question_is_asked_about_all(
    clock: Clock, watch: ChangeListener, database: connection, engine: Engine
) -> None:
    versions = {watch.version()}
    with statements(engine) as asked:
        for number in range(5):
            execute(database, 'UPDATE users SET location = %s', str(number))
            wait_until(lambda: watch.step() and watch.version() not in versions, 'the change is heard')
            versions.add(watch.version())
        assert not asked

        clock.passed += timedelta(seconds=MIN_INTERVAL)
        watch.step()

    assert len(asked) == 1
    assert None not in versions


def test_an_answer_holds_for_the_length_of_a_lease(clock: Clock, watch: ChangeListener) -> None:
    clock.passed += timedelta(seconds=LEASE - 0.001)
    assert watch.version() is not None

    clock.passed += timedelta(seconds=0.001)

    assert watch.version() is None


@pytest.mark.parametrize('fault', ['cut', 'hang'])
def test_a_lost_server_is_no_server(database_url: str, database: connection, fault: str) -> None:
    with TcpProxy.before(make_url(database_url).render_as_string(hide_password=False)) as proxy:
        url = make_url(database_url).set(host='127.0.0.1', port=proxy.port)
        engine = make_engine(url.render_as_string(hide_password=False), pool_size=2)
        watch = ChangeListener(engine, next_due(NOW))
        thread = PeriodicThread('watch', watch.step, pause=0, pause_without_database=0.05)
        thread.start()
        try:
            version = wait_until(watch.version, 'the first version')
            if fault == 'cut':
                proxy.refuse()
            else:
                proxy.hang()
            wait_until(lambda: watch.version() is None, 'that it is missed')
            # It cannot be heard of.
            execute(database, "UPDATE users SET location = 'Lisboa'")
            assert watch.version() is None
            proxy.forward()
            assert wait_until(watch.version, 'another version') != version
        finally:
            proxy.forward()
            thread.stop(PATIENCE)
            watch.close()
            engine.dispose()


def test_it_can_be_tried_again(database_url: str) -> None:
    url = make_url(database_url).set(host='127.0.0.1', port=1)
    engine = make_engine(url.render_as_string(hide_password=False), pool_size=1)
    watch = ChangeListener(engine, next_due(NOW))

    for _ in range(2):
        with pytest.raises(Unavailable):
            watch.step()

    assert watch.version() is None


def test_the_pool_keeps_all_its_connections_as_they_are(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    watch = ChangeListener(engine, next_due(NOW))
    watch.step()

    for _ in range(2):
        with engine.connect() as pooled:
            watch.step()
            # One that was set and set back would be told its level again and again.
            driver: Any = pooled.connection.driver_connection
            assert driver.isolation_level is None and not driver.autocommit

    watch.close()
    engine.dispose()
