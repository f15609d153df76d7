import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.mail.business.outbox import OutboxTally
from talelio_backend.shared.workers.bounded_calls import BoundedCalls, Overdue

# Seconds; less than Prometheus' ten, so that other metrics arrive when the database hangs.
_TIMEOUT = 2.0

_logger = logging.getLogger(__name__)


class OutboxCollector:
    """Queries the outbox on each scrape. Without the database, it reports nothing."""

    def __init__(self, tally: Callable[[], OutboxTally], *, timeout: float = _TIMEOUT) -> None:
        self._tally = tally
        self._timeout = timeout
        # One, so that no other query starts while one hangs.
        self._calls = BoundedCalls(1)

    def collect(self) -> Iterable[Metric]:
        try:
            tally, = self._calls.run([self._tally], time.monotonic() + self._timeout)
        except (Overdue, Unavailable):
            return
        except Exception:  # pylint: disable=broad-exception-caught
            # Such as an unmigrated database: other metrics must still be reported.
            _logger.warning('cannot query the outbox', exc_info=True)
            return
        age = 0.0 if tally.oldest is None else (datetime.now(UTC) - tally.oldest).total_seconds()
        mails = GaugeMetricFamily('talelio_outbox_mails', 'Unsent mail', labels=['status'])
        mails.add_metric(['pending'], tally.pending)
        mails.add_metric(['failed'], tally.failed)
        yield mails
        yield GaugeMetricFamily(
            'talelio_outbox_oldest_pending_seconds',
            'Age of the oldest pending mail; 0 for none',
            value=max(0.0, age),
        )
