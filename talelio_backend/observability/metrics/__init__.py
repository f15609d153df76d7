"""What the service tells Prometheus; why it is done this way: .github/decisions/0025-observability.md."""
from talelio_backend.observability.metrics.metrics import Metrics

__all__ = ['Metrics']
