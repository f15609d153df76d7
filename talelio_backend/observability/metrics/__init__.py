"""Prometheus metrics; see .github/decisions/0025-observability.md."""
from talelio_backend.observability.metrics.metrics import Metrics

__all__ = ['Metrics']
