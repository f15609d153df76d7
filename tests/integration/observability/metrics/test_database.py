"""The pool and the statements of a real database, as they are counted."""
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.observability.metrics.database import DatabaseMetrics
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.data.query_comments import add_comments
from tests.support.database import connect, select_one
from tests.support.measured import registry_of


class Measured:

    def __init__(self, url: str) -> None:
        metrics = DatabaseMetrics()
        self._registry = registry_of(metrics)
        self.engine = make_engine(url, pool_size=1, pool_class=metrics.pool_class())
        metrics.watch(self.engine, pool_size=1)

    def value(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(f'talelio_db_{name}', labels) or 0


@pytest.fixture(name='measured')
def _measured(database_url: str) -> Iterator[Measured]:
    measured = Measured(database_url)
    yield measured
    measured.engine.dispose()


def test_connections_are_counted_while_somebody_holds_them(measured: Measured) -> None:
    assert measured.value('connections_limit') == 1
    for _ in range(2):
        with measured.engine.connect():
            assert measured.value('connections_in_use') == 1
    assert measured.value('connections_in_use') == 0
    assert measured.value('connections_opened_total') == 1
    assert measured.value('connection_wait_seconds_count') == 2


def test_who_gets_no_connection_is_counted(measured: Measured) -> None:
    with measured.engine.connect():
        with pytest.raises(PoolTimeout):
            measured.engine.connect()

    assert measured.value('errors_total', kind='PoolTimeout') == 1
    assert measured.value('connection_wait_seconds_sum') > 1
    assert measured.value('connections_in_use') == 0


@pytest.mark.parametrize('how', ['before it is used', 'while it is used'])
def test_a_connection_that_is_lost_is_not_in_use(measured: Measured, database_url: str, how: str) -> None:

    def lose(pid: int) -> None:
        with closing(connect(database_url)) as other:
            assert select_one(other, 'SELECT pg_terminate_backend(%s, 60000)', pid)

    with measured.engine.connect() as connection:
        pid = connection.execute(text('SELECT pg_backend_pid()')).scalar_one()
        if how == 'while it is used':
            lose(pid)
            with pytest.raises(DBAPIError):
                connection.execute(text('SELECT 1'))
    if how == 'before it is used':
        lose(pid)

    with measured.engine.connect():
        assert measured.value('connections_in_use') == 1
    assert measured.value('connections_in_use') == 0
    assert measured.value('connections_opened_total') == 2


def test_a_connection_that_left_the_pool_for_good_is_not_in_use(measured: Measured) -> None:
    with measured.engine.connect() as connection:
        connection.detach()
        assert measured.value('connections_in_use') == 0
        # The pool has room for another one.
        with measured.engine.connect():
            assert measured.value('connections_in_use') == 1
    assert measured.value('connections_in_use') == 0


def test_a_database_that_is_away_is_counted() -> None:
    measured = Measured('postgresql+psycopg2://nobody@127.0.0.1:1/none')
    for _ in range(2):
        with pytest.raises(OperationalError):
            measured.engine.connect()

    assert measured.value('errors_total', kind='OperationalError') == 2
    assert measured.value('connections_in_use') == 0


def test_statements_are_counted_by_their_verb_behind_a_comment_too(measured: Measured) -> None:
    add_comments(measured.engine, lambda: [('request_id', 'the-request')])
    with measured.engine.begin() as connection:
        connection.execute(text('CREATE TABLE things (id int PRIMARY KEY)'))
        connection.execute(text('INSERT INTO things VALUES (:id)'), [{'id': 1}, {'id': 2}])
        connection.execute(text('  select 1'))
    with pytest.raises(DBAPIError), measured.engine.begin() as connection:
        connection.execute(text('INSERT INTO things VALUES (1)'))

    counted = {
        verb: measured.value('query_duration_seconds_count', statement=verb)
        for verb in ('select', 'insert', 'update', 'delete', 'other')
    }
    assert counted == {'select': 1, 'insert': 1, 'update': 0, 'delete': 0, 'other': 1}
    assert measured.value('errors_total', kind='UniqueViolation') == 1


@pytest.mark.parametrize(
    ('statement', 'parameters'),
    [
        ("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND '%' = '%'", {}),
        (
            "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND :sign = '%'",
            {
                'sign': '%'
            },
        ),
    ],
)
def test_the_server_sees_which_request_a_statement_is_for(
    engine: Engine, statement: str, parameters: dict[str, str]
) -> None:
    hostile = "*/ SELECT '%s'; --"
    add_comments(engine, lambda: [('request_id', 'the-request'), ('route', f'/v1/{hostile}')])

    with engine.connect() as connection:
        query = connection.execute(text(statement), parameters).scalar_one()

    assert query.startswith(
        "/*request_id='the-request',route='%2Fv1%2F%2A%2F%20SELECT%20%27%25s%27%3B%20--'*/ SELECT"
    )


def test_a_comment_keeps_no_statement_from_being_compiled_once(engine: Engine) -> None:
    numbers = iter(range(1000))
    add_comments(engine, lambda: [('request_id', f'request-{next(numbers)}')])
    compiled: dict[object, object] = {}
    with engine.connect().execution_options(compiled_cache=compiled) as connection:
        for number in range(20):
            connection.execute(text('SELECT :number'), {'number': number})

    assert next(numbers) == 20
    assert len(compiled) == 1
