from prometheus_client import CollectorRegistry

from talelio_backend.observability.metrics.database import DatabaseMetrics
from talelio_backend.observability.metrics.image_store import StorageMetrics
from talelio_backend.observability.metrics.mail import MailMetrics
from talelio_backend.observability.metrics.requests import RequestMetrics
from talelio_backend.observability.metrics.security import SecurityMetrics
from talelio_backend.observability.metrics.work import WorkMetrics


class Metrics:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Without a registry, values are only available from the shared files."""
        self.requests = RequestMetrics(registry)
        self.database = DatabaseMetrics(registry)
        self.work = WorkMetrics(registry)
        self.storage = StorageMetrics(registry)
        self.mail = MailMetrics(registry)
        self.security = SecurityMetrics(registry)
