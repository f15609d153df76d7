"""Prometheus metrics; see .github/decisions/0025-observability.md."""
from prometheus_client import CollectorRegistry

from talelio_backend.observability.metrics.database import DatabaseMetrics
from talelio_backend.observability.metrics.requests import RequestMetrics
from talelio_backend.observability.metrics.security import SecurityMetrics
from talelio_backend.observability.metrics.work import WorkMetrics


class Metrics:
    """The metrics of one process, without those of measured adapters."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Without a registry, values are only available from the shared files."""
        self.registry = registry
        self.requests = RequestMetrics(registry)
        self.database = DatabaseMetrics(registry)
        self.work = WorkMetrics(registry)
        self.security = SecurityMetrics(registry)
