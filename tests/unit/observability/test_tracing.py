from threading import Event

import pytest
from opentelemetry.sdk.trace import TracerProvider

from talelio_backend.observability import tracing
from talelio_backend.observability.tracing import Tracing


def test_closing_does_not_wait_for_an_unresponsive_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    traces = Tracing('http://127.0.0.1:1')
    over, ended = Event(), Event()

    def hang(_provider: TracerProvider) -> None:
        over.wait(60)
        ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(TracerProvider, 'shutdown', hang)
        patched.setattr(tracing, 'STOP_TIMEOUT', 0.01)
        traces.close()

    assert not ended.is_set()
    over.set()
    traces.close()
