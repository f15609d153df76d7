"""Tests with concurrent transactions; see also test_repository_contracts.py."""
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import EmailTaken
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.errors import Invalid, Unavailable
from tests.support.at_once import at_once
from tests.support.engines import ProbingUnitOfWork, impatient_engine, plan_of, scalar, wait_for_waiters
from tests.support.samples import NOW, new_account
from tests.support.waiting import PATIENCE

AT_ONCE = 8


@pytest.fixture(name='engine')
def fixture_engine(shared_engine: Engine) -> Engine:
    scalar(shared_engine, 'DELETE FROM accounts')
    return shared_engine


@pytest.fixture(name='threads')
def fixture_threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def register(engine: Engine, account: Account) -> Exception | None:
    """Return the error, if any."""
    try:
        with UnitOfWork(engine) as uow:
            uow.accounts.add(account)
            uow.commit()
    except Invalid as error:
        return error
    return None


def committed(engine: Engine, account: Account) -> int:
    assert register(engine, account) is None
    return account.id


def number_of(engine: Engine, table: str) -> int:
    return int(scalar(engine, f'SELECT count(*) FROM {table}'))


# Concurrent registrations


@pytest.mark.parametrize('_', range(5))
def test_one_of_many_concurrent_registrations_of_an_address_wins(engine: Engine, _: int) -> None:
    accounts = [new_account(f'maker{index}', email='maker@example.com') for index in range(AT_ONCE)]

    refusals = at_once([partial(register, engine, account) for account in accounts])

    assert refusals.count(None) == 1
    for refusal in refusals:
        assert refusal is None or (type(refusal), str(refusal)) == \
            (EmailTaken, "Account with the email 'maker@example.com' already exists")
    assert (number_of(engine, 'accounts'), number_of(engine, 'users')) == (1, 1)


@pytest.mark.parametrize('_', range(5))
def test_one_of_many_concurrent_registrations_of_a_username_wins(engine: Engine, _: int) -> None:
    names = ['maker', 'Maker', 'MAKER', 'mAKER'] * (AT_ONCE // 4)
    accounts = [new_account(name, email=f'{index}@example.com') for index, name in enumerate(names)]

    refusals = at_once([partial(register, engine, account) for account in accounts])

    assert refusals.count(None) == 1
    for name, refusal in zip(names, refusals):
        assert refusal is None or (type(refusal), str(refusal)) == \
            (UsernameTaken, f"Account with the username '{name}' already exists")
    assert (number_of(engine, 'accounts'), number_of(engine, 'users')) == (1, 1)


def test_independent_registrations_do_not_conflict(engine: Engine) -> None:
    accounts = [new_account(f'maker{index}') for index in range(AT_ONCE)]

    refusals = at_once([partial(register, engine, account) for account in accounts])

    assert refusals == [None] * AT_ONCE
    assert number_of(engine, 'accounts') == AT_ONCE


@pytest.mark.parametrize('commit', [True, False], ids=['committed', 'rolled back'])
@pytest.mark.parametrize(('second', 'clash'), [
    (partial(new_account, 'other', email='maker@example.com'), EmailTaken),
    (partial(new_account, 'MAKER', email='other@example.com'), UsernameTaken),
],
                         ids=['address', 'name'])
def test_a_conflicting_registration_waits_for_the_first(
    engine: Engine, threads: ThreadPoolExecutor, second: Callable[[], Account], clash: type[Exception],
    commit: bool
) -> None:
    with UnitOfWork(engine) as first:
        first.accounts.add(new_account('maker'))
        refusal: Future[Exception | None] = threads.submit(register, engine, second())
        wait_for_waiters(engine)
        assert not refusal.done()
        if commit:
            first.commit()

    assert isinstance(refusal.result(PATIENCE), clash if commit else type(None))
    assert number_of(engine, 'accounts') == 1


@pytest.mark.parametrize(('username', 'clash'), [('maker', EmailTaken), ('Taken', UsernameTaken)])
def test_a_refused_registration_leaves_nothing_and_the_unit_of_work_is_reusable(
    engine: Engine, username: str, clash: type[Exception]
) -> None:
    committed(engine, new_account('taken', email='maker@example.com'))
    email = 'maker@example.com' if clash is EmailTaken else 'free@example.com'
    uow = UnitOfWork(engine)

    with pytest.raises(clash), uow:
        uow.accounts.add(new_account(username, email=email))
    with uow:
        uow.accounts.add(new_account('free', email='other@example.com'))
        uow.commit()

    assert (number_of(engine, 'accounts'), number_of(engine, 'users')) == (2, 2)


def test_concurrent_renames_to_one_username_succeed_once(engine: Engine) -> None:
    ids = [committed(engine, new_account(f'maker{index}')) for index in range(4)]

    def rename(id_: int) -> Exception | None:
        try:
            with UnitOfWork(engine) as uow:
                account = uow.accounts.get_for_update(id_)
                assert account is not None
                account.claim('new', 'owner', NOW)
                uow.accounts.save(account)
                uow.commit()
        except Invalid as error:
            return error
        return None

    refusals = at_once([partial(rename, id_) for id_ in ids])

    assert refusals.count(None) == 1
    assert sum(isinstance(refusal, UsernameTaken) for refusal in refusals) == 3
    # A refused rename rolls back the whole change.
    assert scalar(engine, "SELECT count(*) FROM accounts WHERE verified OR password_hash = 'new'") == 1


def test_other_integrity_errors_are_not_translated(engine: Engine) -> None:
    account = new_account()
    account.email = None  # type: ignore[assignment]

    with pytest.raises(IntegrityError), UnitOfWork(engine) as uow:
        uow.accounts.add(account)


# Locks


def test_concurrent_changes_of_an_account_are_all_kept(engine: Engine) -> None:
    id_ = committed(engine, new_account())

    def count_up() -> None:
        with UnitOfWork(engine) as uow:
            account = uow.accounts.get_for_update(id_)
            assert account is not None
            account.link_serial += 1
            account.user.location += 'x'
            uow.commit()

    at_once([count_up] * AT_ONCE)

    with UnitOfWork(engine) as uow:
        account = uow.accounts.get(id_)
    assert account is not None
    assert (account.link_serial, account.user.location) == (1 + AT_ONCE, 'x' * AT_ONCE)


def test_a_waiting_lock_reads_the_committed_account(engine: Engine, threads: ThreadPoolExecutor) -> None:
    id_ = committed(engine, new_account())

    def password_hashes() -> list[str]:
        with UnitOfWork(engine) as uow:
            # Already loaded: the lock must refresh it.
            known = uow.accounts.get(id_)
            locked = uow.accounts.get_for_update(id_)
            return [account.password_hash for account in (known, locked) if account is not None]

    with UnitOfWork(engine) as first:
        account = first.accounts.get_for_update(id_)
        assert account is not None
        seen = threads.submit(password_hashes)
        wait_for_waiters(engine)
        account.password_hash = 'changed'
        first.commit()

    assert seen.result(PATIENCE) == ['changed'] * 2


def test_a_waiting_lock_finds_no_deleted_account(engine: Engine, threads: ThreadPoolExecutor) -> None:
    id_ = committed(engine, new_account())

    def find() -> Account | None:
        with UnitOfWork(engine) as uow:
            return uow.accounts.get_for_update(id_)

    with ProbingUnitOfWork(engine) as deleting:
        deleting.run('DELETE FROM accounts WHERE id = :id', id=id_)
        found = threads.submit(find)
        wait_for_waiters(engine)
        deleting.commit()

    assert found.result(PATIENCE) is None


def test_a_lock_blocks_neither_reads_nor_other_accounts(engine: Engine) -> None:
    one, two = committed(engine, new_account('one')), committed(engine, new_account('two'))

    with UnitOfWork(engine) as first, ProbingUnitOfWork(engine) as second:
        assert first.accounts.get_for_update(one) is not None
        second.run("SET LOCAL lock_timeout = '1ms'")

        assert second.accounts.get(one) is not None
        assert second.accounts.get_by_email('one@example.com') is not None
        assert second.users.get_by_username('one') is not None
        assert second.accounts.get_for_update(two) is not None


def test_a_lock_ends_with_its_unit_of_work(engine: Engine) -> None:
    id_ = committed(engine, new_account())

    for _ in range(2):
        with ProbingUnitOfWork(engine) as uow:
            uow.run("SET LOCAL lock_timeout = '1ms'")
            assert uow.accounts.get_for_update(id_) is not None


def test_waiting_for_a_lock_times_out(engine: Engine) -> None:
    id_ = committed(engine, new_account())

    with UnitOfWork(engine) as first, impatient_engine(engine) as impatient:
        first.accounts.get_for_update(id_)
        with pytest.raises(Unavailable), UnitOfWork(impatient) as second:
            second.accounts.get_for_update(id_)


def test_a_deadlock_fails_one_transaction(engine: Engine, threads: ThreadPoolExecutor) -> None:
    one, two = committed(engine, new_account('one')), committed(engine, new_account('two'))

    def lock(uow: UnitOfWork, id_: int) -> bool:
        account = uow.accounts.get_for_update(id_)
        return account is not None

    def lock_both(first: int, second: int, met: Callable[[], object]) -> bool:
        try:
            with ProbingUnitOfWork(engine) as uow:
                uow.run("SET LOCAL deadlock_timeout = '50ms'")
                assert lock(uow, first)
                met()
                assert lock(uow, second)
                return True
        except Unavailable:
            return False

    barrier = Barrier(2, timeout=PATIENCE)
    results = [threads.submit(lock_both, *pair, barrier.wait) for pair in ((one, two), (two, one))]

    assert sorted(result.result(PATIENCE) for result in results) == [False, True]


# Indexes


@pytest.mark.parametrize(('look_up', 'index'), [
    (lambda uow: uow.accounts.get_by_email('maker7@example.com'), 'uq_accounts_email'),
    (lambda uow: uow.users.get_by_username('Maker7'), 'uq_users_username_lower'),
    (lambda uow: uow.users.get_by_account(7), 'uq_users_account_id'),
],
                         ids=['address', 'name', 'account'])
def test_look_ups_use_their_index(
    engine: Engine, look_up: Callable[[UnitOfWork], object], index: str
) -> None:
    fill = """
        WITH new_accounts AS (
            INSERT INTO accounts
                (email, password_hash, verified, created_at, link_requested_at, link_serial)
            SELECT 'maker' || number || '@example.com', 'hash', true, now(), now(), 1
            FROM generate_series(1, 2000) AS number
            RETURNING id, email
        )
        INSERT INTO users (account_id, username, location, created_at)
        SELECT id, split_part(email, '@', 1), '', now() FROM new_accounts
    """
    scalar(engine, fill)
    scalar(engine, 'ANALYZE')

    def use() -> None:
        with UnitOfWork(engine) as uow:
            look_up(uow)

    assert index in plan_of(engine, use)
