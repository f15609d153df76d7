"""Leaves time, before the server stops, for those who send it requests to notice."""
import logging
import signal
from collections.abc import Callable
from mmap import mmap
from typing import Any

from talelio_backend.shared.business.errors import Unavailable

_logger = logging.getLogger(__name__)


class Drain:
    """After SIGTERM readiness fails for `seconds`, in which requests are served as before.

    A stopping Gunicorn takes no new connections, and resets those that wait to be taken: a proxy must have
    heard of it before. A second SIGTERM, or SIGINT, ends it at once.
    """

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        # Shared with the worker processes, which are forked from the one that is signalled.
        self._begun = mmap(-1, 1)

    def attach(self, arbiter: Any) -> None:
        """Have Gunicorn's master process drain before it stops."""
        stop = arbiter.handle_term

        def handle_term() -> None:
            if self._seconds == 0 or self._begun[0]:
                stop()
            else:
                self._begin(lambda: arbiter.signal(signal.SIGTERM, None))

        # Gunicorn looks its handlers up by name, when the signal has come.
        arbiter.handle_term = handle_term

    def check(self) -> None:
        """Raises Unavailable from the first SIGTERM on."""
        if self._begun[0]:
            raise Unavailable('The service is about to stop')

    def _begin(self, end: Callable[[], None]) -> None:
        self._begun[0] = 1
        _logger.info('stopping in %s s; until then readiness fails', self._seconds)
        signal.signal(signal.SIGALRM, lambda *_: end())
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
