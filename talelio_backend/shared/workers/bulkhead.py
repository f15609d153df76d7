import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import NoReturn

from talelio_backend.shared.business.errors import Unavailable


class BulkheadObserver:
    """Ignores everything; metrics override it."""

    def waiting(self) -> AbstractContextManager[object]:
        return nullcontext()

    def working(self) -> AbstractContextManager[object]:
        return nullcontext()

    def refused(self) -> None:
        pass


@dataclass(eq=False)
class _Turn:
    """A waiting call."""

    comes: threading.Event = field(default_factory=threading.Event)
    is_refused: bool = False


class Bulkhead:
    """Limits slow work to `at_once` callers; `waiting` more wait up to `timeout` seconds.

    Further callers get Unavailable at once, so that threads remain for requests that only read. Accounts take
    turns. Where no place is left, the last call of the account with the most gives way to one with fewer.
    """

    def __init__(
        self,
        what: str,
        *,
        at_once: int,
        waiting: int,
        timeout: float,
        observer: BulkheadObserver = BulkheadObserver(),
    ) -> None:
        self._what = what
        self._waiting = waiting
        self._timeout = timeout
        self._observer = observer
        self._lock = threading.Lock()
        self._free_slots = at_once
        # Of the accounts that wait, in the order in which they are served.
        self._queues: dict[int | None, deque[_Turn]] = {}

    @contextmanager
    def slot(self, account_id: int | None = None) -> Iterator[None]:
        """Calls without an account wait in one queue. Raises Unavailable."""
        turn = self._enqueue(account_id)
        with self._observer.waiting():
            has_come = turn.comes.wait(self._timeout) or not self._give_up(account_id, turn)
        if not has_come or turn.is_refused:
            self._refuse()
        try:
            with self._observer.working():
                yield
        finally:
            self._pass_on()

    def _enqueue(self, account_id: int | None) -> _Turn:
        turn = _Turn()
        with self._lock:
            if self._free_slots:
                self._free_slots -= 1
                turn.comes.set()
                return turn
            queue = self._queues.get(account_id, deque())
            if self._has_place(len(queue)):
                queue.append(turn)
                self._queues[account_id] = queue
                return turn
        self._refuse()

    def _has_place(self, own: int) -> bool:
        """Whether one more may wait, for which another account's call may have to give way."""
        if sum(len(queue) for queue in self._queues.values()) < self._waiting:
            return True
        longest = max(self._queues.values(), key=len, default=deque[_Turn]())
        if len(longest) <= own + 1:
            return False
        last = longest.pop()
        last.is_refused = True
        last.comes.set()
        return True

    def _give_up(self, account_id: int | None, turn: _Turn) -> bool:
        with self._lock:
            if turn.comes.is_set():
                # At the last moment.
                return False
            queue = self._queues[account_id]
            queue.remove(turn)
            if not queue:
                del self._queues[account_id]
            return True

    def _pass_on(self) -> None:
        with self._lock:
            if not self._queues:
                self._free_slots += 1
                return
            account_id = next(iter(self._queues))
            queue = self._queues.pop(account_id)
            queue.popleft().comes.set()
            if queue:
                # Behind the others.
                self._queues[account_id] = queue

    def _refuse(self) -> NoReturn:
        self._observer.refused()
        raise Unavailable(f'Too many {self._what} at once, please try again', retry_after=5)
