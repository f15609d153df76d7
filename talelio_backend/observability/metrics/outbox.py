import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.mail.business.outbox import OutboxTally
from talelio_backend.shared.workers.daemon_future import start_daemon

# Seconds. Prometheus waits ten, and wants to hear of all else in them, just when the database hangs.
_PATIENCE = 2.0

_logger = logging.getLogger(__name__)


class OutboxCollector:
    """Looks into the outbox whenever Prometheus asks. While the database is away it has nothing to tell."""

    def __init__(self, tally: Callable[[], OutboxTally], *, timeout: float = _PATIENCE) -> None:
        self._tally = tally
        self._timeout = timeout
        self._looking: Future[None] | None = None

    def collect(self) -> Iterable[Metric]:
        tally = self._look()
        if tally is None:
            return
        age = 0.0 if tally.oldest is None else (datetime.now(UTC) - tally.oldest).total_seconds()
        mails = GaugeMetricFamily('talelio_outbox_mails', 'Mails that did not leave yet', labels=['status'])
        mails.add_metric(['pending'], tally.pending)
        mails.add_metric(['failed'], tally.failed)
        yield mails
        yield GaugeMetricFamily(
            'talelio_outbox_oldest_pending_seconds',
            'Since when the mail that waits the longest is to be sent; 0 for none',
            value=max(0.0, age),
        )

    def _look(self) -> OutboxTally | None:
        if self._looking is not None and not self._looking.done():
            # One that hangs is enough.
            return None
        seen: list[OutboxTally] = []
        self._looking = start_daemon(lambda: seen.append(self._tally()))
        try:
            self._looking.result(self._timeout)
        except (NotYet, Unavailable):
            return None
        except Exception:  # pylint: disable=broad-exception-caught
            # Such as a database that was not migrated: all else is still to be told.
            _logger.warning('the outbox could not be looked into', exc_info=True)
            return None
        return seen[0]
