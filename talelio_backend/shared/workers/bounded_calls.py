import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar('T')

THREAD_NAME = 'bounded call'


class Overdue(Exception):
    """A call missed its deadline. It may still finish later and take effect."""


class BoundedCalls:
    """Runs calls in threads, so that a caller can stop waiting at a deadline.

    A socket timeout is not enough: it restarts with every byte received.
    """

    def __init__(self, limit: int) -> None:
        # An overdue call keeps its slot until it ends, so that threads cannot pile up.
        self._slots = threading.BoundedSemaphore(limit)

    def run(self, calls: Sequence[Callable[[], T]], deadline: float) -> Sequence[T]:
        """Run the calls concurrently; return their results, or raise the first error, in order.

        Raises Overdue once `time.monotonic()` reaches the deadline.
        """
        futures = [self._start(call, deadline) for call in calls]
        # Wait for all, even if one fails: no call may take effect after this method has returned.
        if wait(futures, _remaining(deadline)).not_done:
            raise Overdue
        return [future.result() for future in futures]

    def _start(self, call: Callable[[], T], deadline: float) -> Future[T]:
        # The thread releases it. pylint: disable-next=consider-using-with
        if not self._slots.acquire(timeout=_remaining(deadline)):
            raise Overdue
        try:
            future = start_daemon(call)
        except BaseException:
            self._slots.release()
            raise
        future.add_done_callback(lambda _: self._slots.release())
        return future


def start_daemon(call: Callable[[], T]) -> Future[T]:
    """Start a thread that, unlike an executor's, does not block the exit of the process."""
    future: Future[T] = Future()
    threading.Thread(target=_work, args=(call, future), name=THREAD_NAME, daemon=True).start()
    return future


def _work(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # pylint: disable=broad-exception-caught
        future.set_exception(error)
        # The traceback refers to this frame: break the reference cycle.
        del future


def _remaining(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
