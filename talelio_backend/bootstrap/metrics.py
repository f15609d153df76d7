from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from talelio_backend.bootstrap.container import Container
from talelio_backend.observability.metrics.outbox import OutboxCollector
from talelio_backend.observability.metrics.processes import ProcessCollector
from talelio_backend.observability.metrics.sharing import processes
from talelio_backend.shared.mail.business.outbox import tally


def add_metrics(container: Container, folder: Path) -> CollectorRegistry:
    """Return the registry of all metrics. Call this after all other middleware is added."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(OutboxCollector(lambda: tally(container.unit_of_work())))
    registry.register(ProcessCollector(partial(processes, folder)))
    container.app.wsgi_app = container.metrics.requests.around(  # type: ignore[method-assign, assignment]
        container.app.wsgi_app
    )
    return registry
