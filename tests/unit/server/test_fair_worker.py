import signal
from concurrent.futures import ThreadPoolExecutor

from gunicorn.config import Config

from talelio_backend.server.fair_worker import Counts, FairWorker
from tests.support.waiting import PATIENCE


def test_a_worker_knows_that_another_has_fewer_connections() -> None:
    counts = Counts()
    first, second = counts.enter(), counts.enter()
    counts.set(first, 3)
    counts.set(second, 2)

    assert [counts.is_more_than_least(count) for count in (1, 2, 3)] == [False, False, True]


def test_a_single_worker_never_has_more_than_another() -> None:
    counts = Counts()
    counts.set(counts.enter(), 7)

    assert not counts.is_more_than_least(7)


def test_a_worker_that_left_does_not_count() -> None:
    counts = Counts()
    stays, leaves = counts.enter(), counts.enter()
    counts.set(stays, 1)

    counts.leave(leaves)

    assert not counts.is_more_than_least(1)


def test_a_free_place_is_reused() -> None:
    counts = Counts()
    places = [counts.enter() for _ in range(3)]

    counts.leave(places[1])

    assert counts.enter() == places[1]
    assert len({*places, counts.enter()}) == 4


def test_a_stopping_worker_does_not_count_but_keeps_its_place() -> None:
    counts = Counts()
    stays, stops = counts.enter(), counts.enter()
    counts.set(stays, 1)

    counts.set(stops, None)

    assert not counts.is_more_than_least(1)
    assert counts.enter() not in (stays, stops)


def test_sigint_ends_a_worker_that_it_interrupts_while_a_request_is_handed_on() -> None:
    worker = object.__new__(FairWorker)
    worker.cfg = Config()
    with ThreadPoolExecutor() as pool, ThreadPoolExecutor() as caller:
        worker.tpool = pool
        # As `submit` does, in the thread that the signal interrupts.
        with pool._shutdown_lock:  # pylint: disable=protected-access
            ended = caller.submit(worker.handle_quit, signal.SIGINT, None).exception(PATIENCE)

    assert isinstance(ended, SystemExit)
