import logging
import traceback
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine, QueuePool
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.errors import Conflict, Invalid, Unavailable
from talelio_backend.shared.data import connections
from talelio_backend.shared.data.connections import CONNECT_TIMEOUT
from tests.support.database import connect, select_one
from tests.support.engines import ProbingUnitOfWork, copied_database, other_engine, outage, scalar
from tests.support.samples import new_account
from tests.support.sockets import closed_port, silent_port
from tests.support.waiting import wait_until

SECRET = 'secret-7f3a'


@pytest.fixture(name='engine', scope='module')
def fixture_engine(postgres_url: str) -> Iterator[Engine]:
    """The service's, with its bounds. Every test leaves the database as empty as it was."""
    with copied_database(postgres_url) as engine, other_engine(engine, pool_size=20) as bounded:
        yield bounded


def end_session(engine: Engine, pid: int) -> None:
    """As a restart of the server or an administrator does."""
    with closing(connect(engine.url.render_as_string(hide_password=False))) as administrator:
        assert select_one(administrator, 'SELECT pg_terminate_backend(%s, 60000)', pid)


def works(engine: Engine) -> bool:
    with ProbingUnitOfWork(engine) as uow:
        return bool(uow.run('SELECT 1') == 1)


def number_of_accounts(engine: Engine) -> int:
    return int(scalar(engine, 'SELECT count(*) FROM accounts'))


# What is bounded


@pytest.mark.parametrize(('setting', 'value'), [
    ('TimeZone', 'UTC'),
    ('statement_timeout', '5s'),
    ('lock_timeout', '2s'),
    ('idle_in_transaction_session_timeout', '15s'),
    ('application_name', 'talelio_backend'),
])
def test_a_session_has_its_bounds(engine: Engine, setting: str, value: str) -> None:
    assert scalar(engine, f'SHOW {setting}') == value


def test_an_exhausted_pool_is_unavailable_within_two_seconds(engine: Engine) -> None:
    with other_engine(engine, pool_size=1) as small, ProbingUnitOfWork(small) as holding:
        assert isinstance(small.pool, QueuePool) and small.pool.timeout() < 2
        holding.run('SELECT 1')

        with pytest.raises(Unavailable) as raised, ProbingUnitOfWork(small) as uow:
            uow.run('SELECT 1')

        assert 1 <= raised.value.retry_after <= 60
        assert holding.run('SELECT 2') == 2


def test_an_exhausted_pool_works_again_when_a_connection_is_back(engine: Engine) -> None:
    with other_engine(engine, pool_size=1) as small:
        for _ in range(3):
            assert works(small)
        with pytest.raises(Unavailable), ProbingUnitOfWork(small) as holding:
            holding.run('SELECT 1')
            works(small)
        assert works(small)


def test_a_unit_of_work_holds_no_connection_before_its_first_statement_nor_after_its_end(
    engine: Engine
) -> None:
    with other_engine(engine, pool_size=1) as small:
        with ProbingUnitOfWork(small), ProbingUnitOfWork(small) as uow:
            assert uow.run('SELECT 1') == 1
        with pytest.raises(Invalid), ProbingUnitOfWork(small) as uow:
            uow.run('SELECT 1')
            raise Invalid('no')
        assert works(small)


def test_a_statement_that_hangs_is_cut(engine: Engine) -> None:
    with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
        uow.run("SET LOCAL statement_timeout = '50ms'")
        uow.run('SELECT pg_sleep(60)')

    assert works(engine)


def test_a_lock_that_is_not_given_is_not_waited_for_long(engine: Engine) -> None:
    with ProbingUnitOfWork(engine) as holding:
        holding.run('LOCK TABLE accounts')

        with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
            uow.run("SET LOCAL lock_timeout = '50ms'")
            uow.accounts.get(1)

    with ProbingUnitOfWork(engine) as uow:
        assert uow.accounts.get(1) is None


def test_a_transaction_left_idle_is_ended(engine: Engine) -> None:
    with other_engine(engine) as watcher, pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
        uow.accounts.add(new_account())
        pid = uow.run('SELECT pg_backend_pid()')
        uow.run("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        sessions = 'SELECT count(*) FROM pg_stat_activity WHERE pid = :pid'
        wait_until(lambda: scalar(watcher, sessions, pid=pid) == 0, 'the end of the session')
        uow.commit()

    assert number_of_accounts(engine) == 0


# Connections that break


def test_a_session_ended_in_a_transaction_is_unavailable_and_the_next_use_works(engine: Engine) -> None:
    with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
        uow.accounts.add(new_account())
        end_session(engine, uow.run('SELECT pg_backend_pid()'))
        uow.run('SELECT 1')

    assert number_of_accounts(engine) == 0


def test_a_session_ended_before_the_commit_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
        uow.accounts.add(new_account())
        end_session(engine, uow.run('SELECT pg_backend_pid()'))
        uow.commit()

    assert number_of_accounts(engine) == 0


def test_a_session_ended_before_the_roll_back_troubles_nobody_and_keeps_no_connection(engine: Engine) -> None:
    with other_engine(engine, pool_size=1) as small:
        for _ in range(3):
            with ProbingUnitOfWork(small) as uow:
                uow.accounts.add(new_account())
                end_session(engine, uow.run('SELECT pg_backend_pid()'))

    assert number_of_accounts(engine) == 0


def test_a_business_error_is_not_lost_when_the_session_ends_too(engine: Engine) -> None:
    with pytest.raises(Invalid, match='^no$'), ProbingUnitOfWork(engine) as uow:
        end_session(engine, uow.run('SELECT pg_backend_pid()'))
        raise Invalid('no')

    assert works(engine)


def test_a_session_ended_in_the_pool_costs_no_use(engine: Engine) -> None:
    end_session(engine, scalar(engine, 'SELECT pg_backend_pid()'))

    assert works(engine)


def test_all_sessions_ended_in_the_pool_cost_no_use(engine: Engine) -> None:
    with ProbingUnitOfWork(engine) as one, ProbingUnitOfWork(engine
                                                             ) as two, ProbingUnitOfWork(engine) as three:
        pids = [uow.run('SELECT pg_backend_pid()') for uow in (one, two, three)]
    for pid in pids:
        end_session(engine, pid)

    with ProbingUnitOfWork(engine) as one, ProbingUnitOfWork(engine
                                                             ) as two, ProbingUnitOfWork(engine) as three:
        fresh = [uow.run('SELECT pg_backend_pid()') for uow in (one, two, three)]
    assert not set(pids) & set(fresh)


def test_a_cancelled_statement_is_unavailable(engine: Engine) -> None:
    with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
        uow.run('SELECT pg_cancel_backend(pg_backend_pid())')
        uow.run('SELECT pg_sleep(60)')

    assert works(engine)


def test_a_database_that_accepts_no_connection_is_unavailable_and_then_works_again(engine: Engine) -> None:
    assert works(engine)
    with outage(engine):
        for _ in range(3):
            with pytest.raises(Unavailable):
                works(engine)

    assert works(engine)


def test_a_server_that_is_away_is_unavailable(engine: Engine) -> None:
    with closed_port() as port, other_engine(engine, port=port) as unreachable:
        with pytest.raises(Unavailable):
            works(unreachable)


def test_a_server_that_stays_silent_is_given_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CONNECT_TIMEOUT <= 2
    monkeypatch.setattr(connections, 'CONNECT_TIMEOUT', 0.3)
    with silent_port() as port, other_engine(engine, port=port) as unreachable:
        with pytest.raises(Unavailable) as raised:
            works(unreachable)

    assert 'did not answer in time' in str(raised.value.__cause__)


# What an error means

PASSING = {
    '08006': 'connection failure',
    '25006': 'read-only transaction',
    '40001': 'serialization failure',
    '40P01': 'deadlock',
    '53100': 'disk full',
    '53200': 'out of memory',
    '53300': 'too many connections',
    '55P03': 'lock not available',
    '57014': 'query canceled',
    '57P01': 'admin shutdown',
    '57P03': 'cannot connect now',
    '58030': 'input/output error',
}
LASTING = {
    '22001': 'string too long',
    '22P02': 'invalid text representation',
    '23502': 'not null violation',
    '23514': 'check violation',
    '25P02': 'failed transaction',
    '42501': 'insufficient privilege',
    '42601': 'syntax error',
    '42P01': 'undefined table',
    'P0001': 'raised exception',
    'XX000': 'internal error',
}


@pytest.mark.parametrize('state', PASSING, ids=PASSING.get)
def test_passing_trouble_is_unavailable(engine: Engine, state: str) -> None:
    with pytest.raises(Unavailable) as raised, ProbingUnitOfWork(engine) as uow:
        uow.run(f"DO $$ BEGIN RAISE 'trouble' USING ERRCODE = '{state}'; END $$")

    # The cause is for the log; the message is for the client.
    assert isinstance(raised.value.__cause__, DBAPIError)
    assert raised.value.message == 'The database is not available, please try again'


@pytest.mark.parametrize('state', LASTING, ids=LASTING.get)
def test_lasting_trouble_is_not_called_unavailable(engine: Engine, state: str) -> None:
    with pytest.raises(DBAPIError), ProbingUnitOfWork(engine) as uow:
        uow.run(f"DO $$ BEGIN RAISE 'trouble' USING ERRCODE = '{state}'; END $$")

    assert works(engine)


def test_a_syntax_error_is_a_bug_and_not_unavailable(engine: Engine) -> None:
    with pytest.raises(ProgrammingError), ProbingUnitOfWork(engine) as uow:
        uow.run('SELEKT 1')


def test_trouble_at_the_commit_counts_too(engine: Engine) -> None:
    deferred = """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'trouble' USING ERRCODE = '40001'; END $$;
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON accounts
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();
    """
    scalar(engine, deferred)
    try:
        with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
            uow.accounts.add(new_account())
            uow.commit()

        assert number_of_accounts(engine) == 0
    finally:
        scalar(engine, 'DROP FUNCTION fail CASCADE')


def test_unavailable_means_that_nothing_of_the_transaction_is_kept(engine: Engine) -> None:
    with pytest.raises(Unavailable), ProbingUnitOfWork(engine) as uow:
        uow.accounts.add(new_account())
        uow.run("SET LOCAL statement_timeout = '20ms'")
        uow.run('SELECT pg_sleep(60)')

    assert number_of_accounts(engine) == 0


# What an error tells

LEAKS: dict[str, str] = {
    # The whole row, in DETAIL.
    'not null': 'INSERT INTO accounts (email, verified) VALUES (:secret, false)',
    # The key, in DETAIL.
    'unique': """
        INSERT INTO accounts (email, password_hash, verified, created_at, link_requested_at, link_serial)
        SELECT :secret, 'hash', false, now(), now(), number FROM generate_series(1, 2) AS number
    """,
    # The statement with the values in it, in LINE 1.
    'undefined column': 'SELECT :secret, nothing FROM accounts',
    'syntax': 'SELECT :secret, FROM accounts',
    # The statement, in CONTEXT.
    'raised in a function': "DO $$ BEGIN EXECUTE 'SELECT nothing -- ' || :secret; END $$",
    # The value itself, in the first line.
    'no number': 'SELECT CAST(:secret AS integer)',
    'no time': 'SELECT CAST(:secret AS timestamptz)',
    'hanging': 'SELECT pg_sleep(60), :secret',
}


@pytest.mark.parametrize('statement', LEAKS.values(), ids=LEAKS)
def test_no_error_holds_a_value(engine: Engine, caplog: pytest.LogCaptureFixture, statement: str) -> None:
    with pytest.raises((DBAPIError, Unavailable)) as raised, ProbingUnitOfWork(engine) as uow:
        uow.run("SET LOCAL statement_timeout = '50ms'")
        try:
            uow.run(statement, secret=SECRET)
        except DBAPIError:
            logging.getLogger(__name__).exception('as the service logs what it did not expect')
            raise

    shown = ''.join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
    assert 'psycopg2' in shown
    assert SECRET not in shown


def test_no_error_of_the_mapped_classes_holds_a_value(engine: Engine) -> None:
    account = new_account(password_hash=SECRET)
    account.created_at = None  # type: ignore[assignment]

    with pytest.raises(IntegrityError) as raised, ProbingUnitOfWork(engine) as uow:
        uow.accounts.add(account)

    shown = ''.join(traceback.format_exception(raised.value))
    assert 'violates not-null constraint' in shown
    assert SECRET not in shown and account.email not in shown


def test_an_error_still_says_what_and_where(engine: Engine) -> None:
    with pytest.raises(ProgrammingError) as raised, ProbingUnitOfWork(engine) as uow:
        uow.run('SELECT nothing FROM accounts WHERE email = :email', email=SECRET)

    assert 'column "nothing" does not exist' in str(raised.value)
    assert 'SELECT nothing FROM accounts WHERE email = %(email)s' in str(raised.value)


def test_a_failed_connection_does_not_tell_the_password(engine: Engine) -> None:
    password = engine.url.password
    assert password
    with closed_port() as port, other_engine(engine, port=port) as unreachable:
        with pytest.raises(Unavailable) as raised:
            works(unreachable)

    shown = ''.join(traceback.format_exception(raised.value)) + repr(unreachable)
    assert password not in shown


def test_a_change_to_what_somebody_else_has_deleted_is_a_conflict(engine: Engine) -> None:
    account = new_account()
    with UnitOfWork(engine) as uow:
        uow.accounts.add(account)
        uow.commit()

    with pytest.raises(Conflict, match='^What was to be changed has been deleted meanwhile$'):
        with UnitOfWork(engine) as uow:
            found = uow.accounts.get(account.id)
            assert found is not None
            scalar(engine, 'DELETE FROM accounts')
            found.user.change_location('Elsewhere', account.created_at)
            uow.commit()
