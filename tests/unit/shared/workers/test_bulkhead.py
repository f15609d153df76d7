import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import pytest

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.bulkhead import Bulkhead
from tests.support.waiting import PATIENCE


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
