"""Delays the stop of the server until proxies have noticed it."""
import logging
import signal
from collections.abc import Callable
from mmap import mmap
from typing import Any

from talelio_backend.shared.business.errors import Unavailable

_logger = logging.getLogger(__name__)


class Drain:
    """After SIGTERM, readiness fails for `seconds` while requests are still served.

    A stopping Gunicorn accepts no connections and resets those in the backlog, so proxies must notice before.
    A second SIGTERM, or SIGINT, stops at once.
    """

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        # Shared with the worker processes.
        self._begun = mmap(-1, 1)

    def attach(self, arbiter: Any) -> None:
        """Make Gunicorn's master process drain before it stops."""
        stop = arbiter.handle_term

        def handle_term() -> None:
            if self._seconds == 0 or self._begun[0]:
                stop()
            else:
                self._begin(lambda: arbiter.signal(signal.SIGTERM, None))

        # Gunicorn looks up handlers by name when it receives a signal.
        arbiter.handle_term = handle_term

    def check(self) -> None:
        """Raises Unavailable after the first SIGTERM."""
        if self._begun[0]:
            raise Unavailable('The service is about to stop')

    def _begin(self, end: Callable[[], None]) -> None:
        self._begun[0] = 1
        _logger.info('stopping in %s s; until then readiness fails', self._seconds)
        signal.signal(signal.SIGALRM, lambda *_: end())
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
