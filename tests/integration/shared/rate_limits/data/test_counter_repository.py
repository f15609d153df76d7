"""What the port of the counters promises, on the real one and on the fake; and exactness under load."""
from collections import Counter as Tally
from datetime import timedelta

from sqlalchemy import Engine

from talelio_backend.app_account.business.rate_limit_policies import LOGIN
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import Unauthenticated
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter, Refused
from talelio_backend.shared.rate_limits.data.counter_repository import keyed_hash
from tests.support.at_once import at_once
from tests.support.backings import Backing
from tests.support.engines import scalar
from tests.support.samples import NOW

A, B = ('login', 'a'), ('login', 'b')
HOUR = timedelta(hours=1)


def count(backing: Backing, name: tuple[str, str], tries: int = 1) -> None:
    with backing.unit_of_work() as uow:
        counter, = uow.counters.lock([name], NOW)
        counter.count += tries
        counter.expires_at = NOW + HOUR
        uow.commit()


def counted(backing: Backing, name: tuple[str, str]) -> int | None:
    with backing.unit_of_work() as uow:
        counter = uow.counters.get(name)
    return None if counter is None else counter.count


def test_a_counter_is_made_where_there_is_none(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        assert uow.counters.get(A) is None
        counter, = uow.counters.lock([A], NOW)
        assert (counter.policy, counter.key, counter.count) == (*A, 0)
        assert (counter.blocked_until, counter.expires_at) == (NOW, NOW)
        uow.commit()

    assert counted(backing, A) == 0


def test_what_is_not_committed_is_not_counted(backing: Backing) -> None:
    count(backing, A)
    with backing.unit_of_work() as uow:
        for counter in uow.counters.lock([A, B], NOW):
            counter.count += 1

    assert (counted(backing, A), counted(backing, B)) == (1, None)


def test_counters_come_in_the_order_asked_for_and_do_not_mix(backing: Backing) -> None:
    count(backing, A, 1)
    count(backing, B, 2)
    count(backing, ('other', 'a'), 3)

    with backing.unit_of_work() as uow:
        names = [('other', 'a'), B, A]
        assert [counter.count for counter in uow.counters.lock(names, NOW)] == [3, 2, 1]


def test_only_expired_counters_are_deleted_and_no_more_than_asked(backing: Backing) -> None:
    for number in range(3):
        count(backing, ('login', str(number)))

    with backing.unit_of_work() as uow:
        assert uow.counters.delete_expired(NOW + HOUR - timedelta(microseconds=1), limit=5) == 0
        assert uow.counters.delete_expired(NOW + HOUR, limit=2) == 2
        assert uow.counters.delete_expired(NOW + HOUR, limit=2) == 1
        uow.commit()

    assert counted(backing, ('login', '0')) is None


def limiter_of(engine: Engine) -> RateLimiter:
    return RateLimiter(lambda: UnitOfWork(engine), keyed_hash('a key'))


def test_of_fifty_threads_ten_are_admitted(shared_engine: Engine) -> None:
    scalar(shared_engine, 'DELETE FROM rate_limit_counters')
    # Two processes share nothing but the database, and so do these two.
    limiters = [limiter_of(shared_engine), limiter_of(shared_engine)]

    def try_from(number: int) -> str:
        actor = Actor(address=f'192.0.2.{number}')
        try:
            ticket = limiters[number % 2].admit(LOGIN, actor, 'maker@example.com', NOW)
        except Refused:
            return 'refused'
        limiters[number % 2].settle(ticket, Unauthenticated('wrong'), NOW)
        return 'admitted'

    ends = at_once([lambda number=number: try_from(number) for number in range(50)])  # type: ignore[misc]

    assert Tally(ends) == {'admitted': 10, 'refused': 40}
    assert scalar(shared_engine, "SELECT count FROM rate_limit_counters WHERE policy = 'login'") == 10


def test_those_who_count_the_same_in_different_order_do_not_wait_for_each_other(
    shared_engine: Engine
) -> None:
    scalar(shared_engine, 'DELETE FROM rate_limit_counters')

    def count_all(names: list[tuple[str, str]]) -> None:
        for _ in range(20):
            with UnitOfWork(shared_engine) as uow:
                for counter in uow.counters.lock(names, NOW):
                    counter.count += 1
                uow.commit()

    at_once([lambda: count_all([A, B]), lambda: count_all([B, A])] * 4)

    assert scalar(shared_engine, 'SELECT sum(count) FROM rate_limit_counters') == 2 * 8 * 20


def test_a_stolen_database_does_not_tell_who_was_counted(shared_engine: Engine) -> None:
    scalar(shared_engine, 'DELETE FROM rate_limit_counters')
    limiter = limiter_of(shared_engine)
    ticket = limiter.admit(LOGIN, Actor(address='192.0.2.7'), 'maker@example.com', NOW)

    limiter.settle(ticket, None, NOW)

    rows = scalar(shared_engine, "SELECT string_agg(c::text, ' ') FROM rate_limit_counters c")
    assert 'maker' not in rows and '192.0.2.7' not in rows
    assert keyed_hash('a key')('x') != keyed_hash('another key')('x')
