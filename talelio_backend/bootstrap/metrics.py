from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from talelio_backend.bootstrap.ground import Ground
from talelio_backend.metrics.outbox import OutboxCollector
from talelio_backend.metrics.processes import ProcessCollector
from talelio_backend.metrics.sharing import processes
from talelio_backend.shared.business.outbox import tally


def add_metrics(ground: Ground, folder: Path) -> CollectorRegistry:
    """What to ask for all metrics. To be called when all else that answers requests is there."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(OutboxCollector(lambda: tally(ground.unit_of_work())))
    registry.register(ProcessCollector(partial(processes, folder)))
    ground.app.wsgi_app = ground.metrics.requests.around(  # type: ignore[method-assign, assignment]
        ground.app.wsgi_app
    )
    return registry
