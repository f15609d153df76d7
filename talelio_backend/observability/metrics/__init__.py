"""Prometheus metrics; see .github/decisions/0025-observability.md."""
from talelio_backend.observability.metrics.database import DatabaseMetrics
from talelio_backend.observability.metrics.requests import RequestMetrics
from talelio_backend.observability.metrics.security import SecurityMetrics
from talelio_backend.observability.metrics.work import WorkMetrics


class Metrics:
    """The metrics of one process, without those of measured adapters."""

    def __init__(self) -> None:
        self.requests = RequestMetrics()
        self.database = DatabaseMetrics()
        self.work = WorkMetrics()
        self.security = SecurityMetrics()
