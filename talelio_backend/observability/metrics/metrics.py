from prometheus_client import CollectorRegistry

from talelio_backend.observability.metrics.database import DatabaseMetrics
from talelio_backend.observability.metrics.image_store import StorageMetrics
from talelio_backend.observability.metrics.mail import MailMetrics
from talelio_backend.observability.metrics.requests import RequestMetrics
from talelio_backend.observability.metrics.security import SecurityMetrics
from talelio_backend.observability.metrics.work import WorkMetrics


class Metrics:
    """All that one process counts, a part for each subject."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Without a registry the values are to be had from the files that processes share, or not at all."""
        self.requests = RequestMetrics(registry)
        self.database = DatabaseMetrics(registry)
        self.work = WorkMetrics(registry)
        self.storage = StorageMetrics(registry)
        self.mail = MailMetrics(registry)
        self.security = SecurityMetrics(registry)
