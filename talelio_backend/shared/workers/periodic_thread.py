import logging
import random
import threading
from collections.abc import Callable

from talelio_backend.shared.business.errors import Unavailable

PAUSE_WITHOUT_DATABASE = 5.0

_logger = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `step` until it has nothing left to do, then pauses, in a loop."""

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        pause: float,
        pause_without_database: float = PAUSE_WITHOUT_DATABASE,
    ) -> None:
        """`step` returns whether there may be more to do. Pauses are in seconds."""
        self._step = step
        self._pause = pause
        self._pause_without_database = pause_without_database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for the current step."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._did_something():
                # Desynchronise the processes.
                self._stopping.wait(self._pause * random.uniform(0.5, 1))

    def _did_something(self) -> bool:
        try:
            return self._step()
        except Unavailable:
            # Requests and the readiness probe already report it.
            self._stopping.wait(self._pause_without_database)
        except Exception:  # pylint: disable=broad-exception-caught
            # The thread must survive any error.
            _logger.exception('the %s failed', self._thread.name.replace('-', ' '))
        return False
