"""What only several transactions at once, or many rows, show; the rest is in test_repository_contracts.py."""
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import Engine

from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.mail.business.outbox import MailStatus
from tests.support.at_once import at_once
from tests.support.engines import ProbingUnitOfWork, plan_of, scalar, wait_for_waiters
from tests.support.samples import NOW, new_mail
from tests.support.waiting import PATIENCE, repeat

RELAYS = 8


@pytest.fixture(name='engine')
def fixture_engine(shared_engine: Engine) -> Engine:
    scalar(shared_engine, 'TRUNCATE outbox')
    return shared_engine


def queue(engine: Engine, number: int) -> list[int]:
    """Return the ids, of which the first is due the longest."""
    mails = [new_mail(index, due_at=NOW) for index in range(number)]
    with UnitOfWork(engine) as uow:
        for index, mail in enumerate(mails):
            mail.due_at = NOW.replace(microsecond=index)
            uow.outbox.add(mail)
        uow.commit()
    return [mail.id for mail in mails]


@pytest.mark.parametrize('_', range(3))
def test_many_at_once_take_each_mail_once(engine: Engine, _: int) -> None:
    ids = queue(engine, 100)

    taken: list[int] = []

    def take() -> bool:
        with UnitOfWork(engine) as uow:
            mail = uow.outbox.next_due(NOW)
            if mail is None:
                return False
            mail.finish(MailStatus.SENT, NOW)
            uow.commit()
        taken.append(mail.id)
        return True

    at_once([partial(repeat, take)] * RELAYS)

    assert Counter(taken) == Counter(ids)


@pytest.mark.parametrize('_', range(3))
def test_many_at_once_lease_each_mail_once(engine: Engine, _: int) -> None:
    """A lease changes the column that the mails are found by, while others look."""
    ids = queue(engine, 100)

    leased: list[int] = []

    def lease() -> bool:
        with UnitOfWork(engine) as uow:
            mail = uow.outbox.next_due(NOW)
            if mail is None:
                return False
            mail.lease(NOW)
            uow.commit()
        leased.append(mail.id)
        return True

    at_once([partial(repeat, lease)] * RELAYS)

    assert Counter(leased) == Counter(ids)
    assert scalar(engine, 'SELECT count(*) FROM outbox WHERE tries <> 1') == 0


def test_what_another_holds_is_skipped_and_not_waited_for(engine: Engine) -> None:
    first_id, second_id = queue(engine, 2)

    with UnitOfWork(engine) as one, ProbingUnitOfWork(engine) as two, ProbingUnitOfWork(engine) as three:
        for uow in (two, three):
            uow.run("SET LOCAL lock_timeout = '1ms'")
        first = one.outbox.next_due(NOW)
        second = two.outbox.next_due(NOW)
        third = three.outbox.next_due(NOW)

    assert first is not None and first.id == first_id
    assert second is not None and second.id == second_id
    assert third is None


def test_the_order_does_not_depend_on_the_index(engine: Engine) -> None:
    ids = queue(engine, 5)
    # The rows in another order than they are due.
    scalar(engine, 'UPDATE outbox SET tries = 1 WHERE id IN (:first, :third)', first=ids[0], third=ids[2])

    order = []
    with ProbingUnitOfWork(engine) as uow:
        uow.run('SET LOCAL enable_indexscan = off')
        uow.run('SET LOCAL enable_bitmapscan = off')
        for _ in ids:
            mail = uow.outbox.next_due(NOW)
            assert mail is not None
            order.append(mail.id)
            mail.finish(MailStatus.SENT, NOW)

    assert order == ids


def test_what_was_held_and_given_back_is_due_at_once(engine: Engine) -> None:
    id_, = queue(engine, 1)

    for _ in range(2):
        with UnitOfWork(engine) as uow:
            mail = uow.outbox.next_due(NOW)
            assert mail is not None and mail.id == id_


def test_the_list_shows_what_another_holds_and_does_not_wait(engine: Engine) -> None:
    id_, = queue(engine, 1)

    with UnitOfWork(engine) as holding, ProbingUnitOfWork(engine) as uow:
        holding.outbox.next_due(NOW)
        uow.run("SET LOCAL lock_timeout = '1ms'")

        assert [mail.id for mail in uow.outbox.list_unfinished()] == [id_]


def test_a_mail_that_another_holds_is_waited_for_and_seen_as_it_was_left(engine: Engine) -> None:
    id_, = queue(engine, 1)

    def statuses() -> list[MailStatus]:
        with UnitOfWork(engine) as uow:
            # Known already: the lock must bring the row as it is then.
            known = uow.outbox.list_unfinished()
            locked = uow.outbox.get_for_update(id_)
            return [mail.status for mail in (*known, locked) if mail is not None]

    with ThreadPoolExecutor() as threads, UnitOfWork(engine) as holding:
        mail = holding.outbox.get_for_update(id_)
        assert mail is not None
        seen = threads.submit(statuses)
        wait_for_waiters(engine)
        mail.finish(MailStatus.SENT, NOW)
        holding.commit()

        assert seen.result(PATIENCE) == [MailStatus.SENT] * 2


def test_among_many_finished_mails_the_due_one_is_found_by_the_partial_index(engine: Engine) -> None:
    queue(engine, 3)
    finished = """
        INSERT INTO outbox (message_id, kind, payload, status, created_at, due_at, tries, trying_since)
        SELECT gen_random_uuid(), 'note', '{"number": 1}', 'sent', due_at, due_at, 1, due_at
        FROM outbox CROSS JOIN generate_series(1, 3000)
    """
    scalar(engine, finished)
    scalar(engine, 'ANALYZE outbox')

    def look() -> None:
        with UnitOfWork(engine) as uow:
            uow.outbox.next_due(NOW)

    plan = plan_of(engine, look)
    assert 'Index Scan using ix_outbox_due_at_pending' in plan
    assert 'Sort' not in plan


def test_the_partial_index_holds_pending_mail_alone(engine: Engine) -> None:
    definition = scalar(engine, "SELECT pg_get_indexdef('ix_outbox_due_at_pending'::regclass)")

    assert definition.endswith("(due_at) WHERE ((status)::text = 'pending'::text)")
