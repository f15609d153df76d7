"""Does what has to be done again and again, in a thread of its own beside the request threads."""
import logging
import random
import threading
from collections.abc import Callable

from talelio_backend.shared.business.errors import Unavailable

PAUSE_WITHOUT_DATABASE = 5.0

_logger = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `step` until it finds nothing to do, pauses for so many seconds, and calls it again."""

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        pause: float,
        pause_without_database: float = PAUSE_WITHOUT_DATABASE,
    ) -> None:
        """`step` returns whether there may be more to do."""
        self._step = step
        self._pause = pause
        self._pause_without_database = pause_without_database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Let the step in hand end, for at most `timeout` seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._did_something():
                # Threads of processes that started together should not ask together.
                self._stopping.wait(self._pause * random.uniform(0.5, 1))

    def _did_something(self) -> bool:
        try:
            return self._step()
        except Unavailable:
            # Requests and the readiness probe already report it.
            self._stopping.wait(self._pause_without_database)
        except Exception:  # pylint: disable=broad-exception-caught
            # Without this thread nothing is done until the next restart, so it outlives any surprise.
            _logger.exception('the %s stumbled', self._thread.name.replace('-', ' '))
        return False
