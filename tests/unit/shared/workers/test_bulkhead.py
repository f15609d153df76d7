import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import pytest

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.bulkhead import Bulkhead, BulkheadObserver
from tests.support.waiting import PATIENCE, wait_until


class Workshop:
    """Callers stay in it until it closes."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._turns = bulkhead
        self._closing = threading.Event()
        self.entered = threading.Event()

    def work(self) -> None:
        with self._turns.slot():
            self.entered.set()
            assert self._closing.wait(PATIENCE)

    def close(self) -> None:
        self._closing.set()


def test_callers_beyond_the_limits_are_refused_at_once() -> None:
    workshop = Workshop(Bulkhead('logins', at_once=1, waiting=1, timeout=PATIENCE))
    with ThreadPoolExecutor(4) as pool:
        calls = {pool.submit(workshop.work) for _ in range(4)}
        try:
            # Nobody can be done with the work yet, so who is done was sent away.
            sent_away: set[Future[None]] = set()
            while len(sent_away) < 2:
                done, calls = wait(calls, PATIENCE, FIRST_COMPLETED)
                assert done, 'two of four should have been sent away'
                sent_away |= done
        finally:
            workshop.close()
    for call in sent_away:
        assert isinstance(call.exception(), Unavailable)
    for call in calls:
        call.result(PATIENCE)


def test_a_caller_that_times_out_frees_its_place() -> None:
    bulkhead = Bulkhead('logins', at_once=1, waiting=1, timeout=0.01)
    workshop = Workshop(bulkhead)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(workshop.work)
        assert workshop.entered.wait(PATIENCE)
        for _ in range(3):
            with pytest.raises(Unavailable, match='Too many logins at once') as caught, bulkhead.slot():
                pass
            assert caught.value.retry_after > 0
        workshop.close()
        first.result(PATIENCE)
    with bulkhead.slot():
        pass


def test_an_error_frees_the_slot() -> None:
    bulkhead = Bulkhead('logins', at_once=1, waiting=0, timeout=0)

    for _ in range(3):
        with pytest.raises(KeyError), bulkhead.slot():
            raise KeyError


class Queue:
    """Calls that wait in a bulkhead whose only slot is taken, and the order in which they get it."""

    def __init__(self, pool: ThreadPoolExecutor, waiting: int) -> None:
        self._observer = _Waiting()
        self._bulkhead = Bulkhead(
            'texts', at_once=1, waiting=waiting, timeout=PATIENCE, observer=self._observer
        )
        self._pool = pool
        self.order: list[int] = []

    def run(self, *accounts: int) -> list[Future[None]]:
        """Let the calls of these accounts arrive in this order, and then work one after another."""
        with self._bulkhead.slot(0):
            calls = []
            for number, account in enumerate(accounts, 2):
                calls.append(self._pool.submit(self._work, account))
                wait_until(partial(self._observer.has_seen, number), 'it waits')
        wait(calls, PATIENCE)
        return calls

    def _work(self, account: int) -> None:
        with self._bulkhead.slot(account):
            self.order.append(account)


class _Waiting(BulkheadObserver):

    def __init__(self) -> None:
        self.arrived = 0

    def waiting(self) -> AbstractContextManager[object]:
        self.arrived += 1
        return nullcontext()

    def refused(self) -> None:
        self.arrived += 1

    def has_seen(self, calls: int) -> bool:
        return self.arrived >= calls


def test_accounts_take_turns() -> None:
    with ThreadPoolExecutor(6) as pool:
        queue = Queue(pool, waiting=6)

        queue.run(1, 1, 1, 2, 2, 3)

    assert queue.order == [1, 2, 3, 1, 2, 1]


def test_where_no_place_is_left_the_last_call_of_the_account_with_the_most_gives_way() -> None:
    with ThreadPoolExecutor(6) as pool:
        queue = Queue(pool, waiting=3)

        calls = queue.run(1, 1, 1, 2)

    assert queue.order == [1, 2, 1]
    assert [type(call.exception()) for call in calls] == [type(None), type(None), Unavailable, type(None)]


def test_an_account_does_not_make_another_with_as_many_calls_give_way() -> None:
    with ThreadPoolExecutor(6) as pool:
        queue = Queue(pool, waiting=2)

        calls = queue.run(1, 2, 2)

    assert queue.order == [1, 2]
    assert [type(call.exception()) for call in calls] == [type(None), type(None), Unavailable]
