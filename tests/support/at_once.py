import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.support.waiting import PATIENCE

T = TypeVar('T')


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make all calls from threads that wait for each other first; return the results in order."""
    barrier = threading.Barrier(len(calls), timeout=PATIENCE)

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
