"""What reads without a transaction, on connections that units of work use too."""
import math
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2 import extensions
from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from talelio_backend.shared.business.errors import Invalid, Unavailable
from talelio_backend.shared.data import connections
from talelio_backend.shared.data.read_session import SqlAlchemyReadSession
from tests.support.engines import ProbingUnitOfWork, copied_database, other_engine, outage, scalar
from tests.support.samples import new_account


class ProbingReading(SqlAlchemyReadSession):

    def run(self, statement: str) -> Any:
        return self._connection.exec_driver_sql(statement).scalar()


@pytest.fixture(name='engine', scope='module')
def fixture_engine(postgres_url: str) -> Iterator[Engine]:
    with copied_database(postgres_url) as engine, other_engine(engine, pool_size=1) as small:
        yield small


def test_each_statement_sees_what_was_committed_before_it(engine: Engine) -> None:
    with other_engine(engine) as writer, ProbingReading(engine) as read_session:
        before = read_session.run('SELECT count(*) FROM whitelist')
        scalar(writer, "INSERT INTO whitelist (email, added_at, note) VALUES ('a@example.com', now(), '')")
        assert read_session.run('SELECT count(*) FROM whitelist') == before + 1
        assert read_session.run("SELECT state FROM pg_stat_activity WHERE pid = pg_backend_pid()") == 'active'
        idle_transactions = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'idle in transaction'
        """
        assert scalar(writer, idle_transactions) == 0


def test_who_has_the_connection_next_has_a_transaction(engine: Engine) -> None:
    for failing in (False, True):
        try:
            with ProbingReading(engine) as read_session:
                read_session.run('SELECT 1')
                if failing:
                    raise Invalid('no')
        except Invalid:
            pass
        with ProbingUnitOfWork(engine) as uow:
            uow.accounts.add(new_account())
            uow.run('SELECT 1')
        assert scalar(engine, 'SELECT count(*) FROM accounts') == 0


def test_no_connection_is_held_before_the_first_question_nor_after_the_end(engine: Engine) -> None:
    with ProbingReading(engine), ProbingReading(engine) as read_session:
        assert read_session.run('SELECT 1') == 1
    assert scalar(engine, 'SELECT 2') == 2


def test_a_question_costs_one_round_trip(engine: Engine) -> None:
    with ProbingReading(engine) as read_session:
        read_session.run('SELECT 1')
    bounded: Any = extensions.get_wait_callback()
    waits: list[object] = []

    def wait(connection: extensions.connection) -> None:
        waits.append(connection)
        bounded(connection)

    extensions.set_wait_callback(wait)
    try:
        with ProbingReading(engine) as read_session:
            read_session.run('SELECT 3')
    finally:
        extensions.set_wait_callback(bounded)
    assert len(waits) == 1


def test_an_outage_is_unavailable_and_costs_no_use_after_it(engine: Engine) -> None:
    with ProbingReading(engine) as read_session:
        read_session.run('SELECT 1')
    with outage(engine), pytest.raises(Unavailable), ProbingReading(engine) as read_session:
        read_session.run('SELECT 1')
    with ProbingReading(engine) as read_session:
        assert read_session.run('SELECT 1') == 1


def test_a_session_that_ends_between_questions_is_unavailable(engine: Engine) -> None:
    with other_engine(engine) as administrator:
        with pytest.raises(Unavailable), ProbingReading(engine) as read_session:
            pid = read_session.run('SELECT pg_backend_pid()')
            assert scalar(administrator, 'SELECT pg_terminate_backend(:pid, 60000)', pid=pid)
            read_session.run('SELECT 1')
    with ProbingUnitOfWork(engine) as uow:
        assert uow.run('SELECT 1') == 1


def test_a_connection_that_waited_long_is_asked_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    ping = engine.dialect.do_ping

    def remember(connection: DBAPIConnection) -> bool:
        asked.append(connection)
        return ping(connection)

    monkeypatch.setattr(engine.dialect, 'do_ping', remember)
    for seconds, times in ((math.inf, 0), (0.0, 1)):
        monkeypatch.setattr(connections, 'PING_AFTER', seconds)
        with ProbingReading(engine) as read_session:
            read_session.run('SELECT 1')
        assert len(asked) == times
