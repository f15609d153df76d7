from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase


def registry_of(measured: object) -> CollectorRegistry:
    """A registry of the metrics that an object keeps, whose values can then be read in this process."""
    registry = CollectorRegistry()
    for metric in vars(measured).values():
        if isinstance(metric, MetricWrapperBase):
            registry.register(metric)
    return registry
