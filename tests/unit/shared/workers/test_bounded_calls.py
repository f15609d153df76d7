import threading
import time
from collections.abc import Callable

import pytest

from talelio_backend.shared.workers.bounded_calls import BoundedCalls, Overdue
from tests.support.waiting import PATIENCE


def soon() -> float:
    return time.monotonic() + 0.05


def late() -> float:
    return time.monotonic() + PATIENCE


def fail(error: Exception) -> Callable[[], str]:

    def call() -> str:
        raise error

    return call


def test_results_are_in_the_order_of_the_calls() -> None:
    second_ran = threading.Event()

    def first() -> str:
        assert second_ran.wait(PATIENCE)
        return 'first'

    def second() -> str:
        second_ran.set()
        return 'second'

    assert BoundedCalls(2).run([first, second], late()) == ['first', 'second']
    assert not BoundedCalls(1).run([], late())


def test_the_first_error_is_raised_after_all_calls_have_ended() -> None:
    ended = threading.Event()
    failed = threading.Event()

    def slow() -> str:
        assert failed.wait(PATIENCE)
        ended.set()
        raise ValueError

    def quick() -> str:
        failed.set()
        raise LookupError

    with pytest.raises(ValueError):
        BoundedCalls(2).run([slow, quick], late())
    assert ended.is_set()


def test_a_hanging_call_is_overdue() -> None:
    end, ended = threading.Event(), threading.Event()

    def call() -> None:
        end.wait(PATIENCE)
        ended.set()

    with pytest.raises(Overdue):
        BoundedCalls(2).run([call], soon())

    assert not ended.is_set()
    end.set()


def test_overdue_calls_keep_their_slots() -> None:
    calls = BoundedCalls(1)
    end = threading.Event()
    with pytest.raises(Overdue):
        calls.run([lambda: end.wait(PATIENCE)], soon())

    ran: list[int] = []
    with pytest.raises(Overdue):
        calls.run([lambda: ran.append(1)], soon())
    assert not ran

    end.set()
    calls.run([lambda: ran.append(2)], late())
    assert ran == [2]


def test_a_failed_call_releases_its_slot() -> None:
    calls = BoundedCalls(1)

    for _ in range(3):
        with pytest.raises(ValueError):
            calls.run([fail(ValueError())], late())


def test_excess_calls_wait_for_a_slot() -> None:
    assert BoundedCalls(2).run([lambda: 'done'] * 9, late()) == ['done'] * 9
