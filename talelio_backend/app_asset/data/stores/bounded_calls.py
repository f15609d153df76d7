import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar('T')

THREAD_NAME = 'bounded call'


class Overdue(Exception):
    """A call has not ended in time. It may still do so, and take effect, or never."""


class BoundedCalls:
    """Runs calls in threads, so that whoever waits for one that never ends can give up on it.

    A socket's timeout is no such bound: each byte that comes begins it anew.
    """

    def __init__(self, limit: int) -> None:
        # Calls that were given up count as long as they go on, so that their threads cannot pile up.
        self._places = threading.BoundedSemaphore(limit)

    def run(self, calls: Sequence[Callable[[], T]], give_up: float) -> Sequence[T]:
        """Run the calls at once and return their results in order, or raise the first error in order.

        `give_up` is a time of `time.monotonic()`. From then on, raise Overdue.
        """
        futures = [self._start(call, give_up) for call in calls]
        # All of them, even if one fails: nothing of a call is to happen after its end was reported.
        if wait(futures, _remaining(give_up)).not_done:
            raise Overdue
        return [future.result() for future in futures]

    def _start(self, call: Callable[[], T], give_up: float) -> Future[T]:
        # The thread gives it back. pylint: disable-next=consider-using-with
        if not self._places.acquire(timeout=_remaining(give_up)):
            raise Overdue
        future: Future[T] = Future()
        try:
            # A daemon, unlike the threads of an executor: it must not hold up the end of the process.
            threading.Thread(target=self._work, args=(call, future), name=THREAD_NAME, daemon=True).start()
        except BaseException:
            self._places.release()
            raise
        return future

    def _work(self, call: Callable[[], T], future: Future[T]) -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # pylint: disable=broad-exception-caught
            future.set_exception(error)
            # The error holds this frame: let it not hold itself.
            del future
        finally:
            self._places.release()


def _remaining(give_up: float) -> float:
    return max(0.0, give_up - time.monotonic())
