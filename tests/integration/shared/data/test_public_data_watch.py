import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from psycopg2.extensions import connection
from sqlalchemy import Engine, make_url

from talelio_backend.app_feed.data.change_log import next_due
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.database import make_engine
from talelio_backend.shared.data.public_data_watch import LEASE, NOW, PAUSE, PublicDataWatch
from talelio_backend.shared.data.repeating_thread import RepeatingThread
from tests.support.database import connect, execute
from tests.support.plans import statements
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import wait_until

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


@pytest.fixture(name='watch')
def _watch(database: connection, engine: Engine) -> Iterator[PublicDataWatch]:
    """One that waits in the test's own thread."""
    del database
    watch = PublicDataWatch(engine, next_due(NOW))
    watch.step()
    yield watch
    watch.close()


def test_nothing_is_known_before_it_listens(engine: Engine) -> None:
    assert PublicDataWatch(engine, next_due(NOW)).moment() is None


def test_while_nothing_changes_it_is_the_same_moment(watch: PublicDataWatch) -> None:
    moment = watch.moment()

    watch.step()

    assert moment is not None
    assert watch.moment() == moment


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
    watch: PublicDataWatch, database: connection, statement: str
) -> None:
    moment = watch.moment()

    execute(database, statement)
    watch.step()

    assert watch.moment() not in (moment, None)


@pytest.mark.parametrize(
    'statement', [
        'UPDATE accounts SET token_epoch = token_epoch + 1',
        "BEGIN; UPDATE projects SET title = 'Other'; ROLLBACK",
    ]
)
def test_what_nobody_can_see_makes_none(watch: PublicDataWatch, database: connection, statement: str) -> None:
    moment = watch.moment()

    execute(database, statement)
    watch.step()

    assert watch.moment() == moment


def test_whoever_writes_makes_another_one_for_all_that_share_it(
    engine: Engine, watch: PublicDataWatch
) -> None:
    page = memoryview(bytearray(8)).cast('Q')
    other = PublicDataWatch(engine, next_due(NOW))
    with closing(other):
        for each in (watch, other):
            each.share(page)
            each.step()
        moments = watch.moment(), other.moment()

        other.changed()

        assert watch.moment() not in (moments[0], None)
        assert other.moment() not in (moments[1], None)


def test_a_project_becomes_public_by_its_time_alone(watch: PublicDataWatch, database: connection) -> None:
    execute(database, _ADD_PROJECT, 0.7)
    # It hears of it, and asks.
    watch.step()
    watch.step()
    moment = watch.moment()
    assert moment is not None

    # Nobody knows from the instant itself on, until it is asked for the next one.
    wait_until(lambda: watch.moment() is None, 'the instant')
    watch.step()

    assert watch.moment() not in (moment, None)


def test_of_many_changes_each_is_heard_and_few_are_asked_about(
    watch: PublicDataWatch, database: connection, engine: Engine
) -> None:
    moments, began = {watch.moment()}, time.monotonic()
    with statements(engine) as asked:
        for number in range(40):
            execute(database, "UPDATE users SET location = %s", str(number))
            watch.step()
            moments.add(watch.moment())

    assert len(moments) == 41
    assert len(asked) <= (time.monotonic() - began) / PAUSE + 1


def test_it_lasts_no_longer_than_the_server_confirms(watch: PublicDataWatch) -> None:
    asked = time.monotonic()

    wait_until(lambda: watch.moment() is None, 'the end of the lease')

    assert time.monotonic() - asked <= LEASE + 0.2


@pytest.mark.parametrize('fault', ['cut', 'hang'])
def test_a_lost_server_is_no_server(database_url: str, database: connection, fault: str) -> None:
    with TcpProxy.before(make_url(database_url).render_as_string(hide_password=False)) as proxy:
        url = make_url(database_url).set(host='127.0.0.1', port=proxy.port)
        engine = make_engine(url.render_as_string(hide_password=False), pool_size=2)
        watch = PublicDataWatch(engine, next_due(NOW))
        thread = RepeatingThread('watch', watch.step, pause=0, pause_without_database=0.05)
        thread.start()
        try:
            wait_until(watch.moment, 'the first moment')
            moment = watch.moment()
            if fault == 'cut':
                proxy.refuse()
            else:
                proxy.hang()
            wait_until(lambda: watch.moment() is None, 'that it is missed')
            # It cannot be heard of.
            execute(database, "UPDATE users SET location = 'Lisboa'")
            assert watch.moment() is None
            proxy.forward()
            assert wait_until(watch.moment, 'another moment') != moment
        finally:
            proxy.forward()
            thread.stop(10)
            watch.close()
            engine.dispose()


def test_it_can_be_tried_again(database_url: str) -> None:
    url = make_url(database_url).set(host='127.0.0.1', port=1)
    engine = make_engine(url.render_as_string(hide_password=False), pool_size=1)
    watch = PublicDataWatch(engine, next_due(NOW))

    for _ in range(2):
        with pytest.raises(Unavailable):
            watch.step()

    assert watch.moment() is None


def test_the_pool_keeps_all_its_connections_as_they_are(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    watch = PublicDataWatch(engine, next_due(NOW))
    watch.step()

    for _ in range(2):
        with engine.connect() as connection:
            watch.step()
            # One that was set and set back would be told its level again and again.
            driver: Any = connection.connection.driver_connection
            assert driver.isolation_level is None and not driver.autocommit

    watch.close()
    engine.dispose()
