"""Metrics of slow work whose concurrency a bulkhead limits."""
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from prometheus_client import Counter, Gauge, Histogram

from talelio_backend.observability.metrics.sharing import counter, gauge, histogram
from talelio_backend.shared.workers.bulkhead import BulkheadObserver

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class WorkMetrics:
    """`what` is passwords, texts, pictures or picture_changes."""

    def __init__(self) -> None:
        self._waiting = gauge('talelio_work_waiting', 'Requests waiting for the work to start', ('what', ))
        self._in_progress = gauge(
            'talelio_work_in_progress', 'Requests whose work is in progress', ('what', )
        )
        self._refused = counter(
            'talelio_work_refused', 'Requests refused because too many others waited, or after a timeout',
            ('what', )
        )
        self._seconds = histogram(
            'talelio_work_duration_seconds',
            'Duration of the work, without waiting', ('what', ),
            buckets=_SECONDS
        )
        self._processes = counter(
            'talelio_bounded_process_events',
            'Events of processes for texts and pictures: started, limit (the work exceeded its time '
            'or memory), killed (from outside), failed', ('what', 'event')
        )
        for what in ('texts', 'pictures'):
            for event in ('started', 'limit', 'killed', 'failed'):
                self._processes.labels(what, event)

    def bulkhead(self, what: str) -> BulkheadObserver:
        return BulkheadMetrics(
            self._waiting.labels(what),
            self._in_progress.labels(what),
            self._refused.labels(what),
            self._seconds.labels(what),
        )

    def count_process_event(self, what: str, event: str) -> None:
        """See `shared.workers.sandboxed_worker.SandboxedWorker`."""
        self._processes.labels(what, event).inc()


class BulkheadMetrics(BulkheadObserver):

    def __init__(self, waiting: Gauge, in_progress: Gauge, refused: Counter, seconds: Histogram) -> None:
        self._waiting = waiting
        self._in_progress = in_progress
        self._refused = refused
        self._seconds = seconds

    def waiting(self) -> AbstractContextManager[object]:
        return self._waiting.track_inprogress()

    @contextmanager
    def working(self) -> Iterator[None]:
        with self._in_progress.track_inprogress(), self._seconds.time():
            yield

    def refused(self) -> None:
        self._refused.inc()
