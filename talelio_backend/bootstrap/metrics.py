from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from talelio_backend.bootstrap.ground import Ground
from talelio_backend.metrics import Metrics
from talelio_backend.metrics.outbox import OutboxCollector
from talelio_backend.metrics.processes import ProcessCollector
from talelio_backend.metrics.sharing import SharedValues, processes, take_place
from talelio_backend.shared.business.outbox import tally


def make_metrics(folder: Path | None) -> Metrics:
    """To be called before anything that counts is made. Without a folder nobody is told."""
    if folder is not None:
        take_place(folder)
    return Metrics()


def add_metrics(ground: Ground, folder: Path) -> CollectorRegistry:
    """What to ask for all metrics. To be called when all else that answers requests is there."""
    registry = CollectorRegistry()
    registry.register(SharedValues(folder))
    registry.register(OutboxCollector(lambda: tally(ground.unit_of_work())))
    registry.register(ProcessCollector(partial(processes, folder)))
    ground.app.wsgi_app = ground.metrics.requests.around(  # type: ignore[method-assign, assignment]
        ground.app.wsgi_app
    )
    return registry
