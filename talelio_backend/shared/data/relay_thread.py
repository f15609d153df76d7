"""Keeps sending what is due, in a thread of its own beside the request threads."""
import logging
import random
import threading
from collections.abc import Callable

from talelio_backend.shared.business.errors import Unavailable

# Seconds between two looks at an empty outbox: a mail leaves within about this time of its commit.
PAUSE = 1.0
PAUSE_WITHOUT_DATABASE = 5.0

_logger = logging.getLogger(__name__)


class RelayThread:
    """Calls `send_next` until it finds nothing to send, pauses, and calls it again."""

    def __init__(
        self,
        send_next: Callable[[], bool],
        *,
        pause: float = PAUSE,
        pause_without_database: float = PAUSE_WITHOUT_DATABASE,
    ) -> None:
        self._send_next = send_next
        self._pause = pause
        self._pause_without_database = pause_without_database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='mail-relay', daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Let the mail in hand go out, for at most `timeout` seconds; its lease covers the rest."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._sent_one():
                # Relays that started together should not ask together.
                self._stopping.wait(self._pause * random.uniform(0.5, 1))

    def _sent_one(self) -> bool:
        try:
            return self._send_next()
        except Unavailable:
            # Requests and the readiness probe already report it.
            self._stopping.wait(self._pause_without_database)
        except Exception:  # pylint: disable=broad-exception-caught
            # Without this thread no mail leaves until the next restart, so it outlives any surprise.
            _logger.exception('the mail relay stumbled')
        return False
