from datetime import UTC, datetime, timedelta
from threading import Event

from prometheus_client import CollectorRegistry

from talelio_backend.observability.metrics.outbox import OutboxCollector
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.mail.business.outbox import OutboxTally


def told(collector: OutboxCollector) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(collector)
    return {
        each.name + each.labels.get('status', ''): each.value
        for family in registry.collect()
        for each in family.samples
    }


def test_pending_mail_is_reported_with_its_age() -> None:
    since = datetime.now(UTC) - timedelta(seconds=60)

    metrics = told(OutboxCollector(lambda: OutboxTally(pending=3, failed=1, oldest=since)))

    assert 60 <= metrics.pop('talelio_outbox_oldest_pending_seconds') < 120
    assert metrics == {'talelio_outbox_mailspending': 3, 'talelio_outbox_mailsfailed': 1}


def test_an_empty_outbox_has_age_zero() -> None:
    metrics = told(OutboxCollector(lambda: OutboxTally(pending=0, failed=0, oldest=None)))

    assert metrics['talelio_outbox_oldest_pending_seconds'] == 0


def test_a_database_failure_does_not_affect_other_metrics() -> None:

    def away() -> OutboxTally:
        raise Unavailable('The database is not available')

    def faulty() -> OutboxTally:
        raise LookupError('no such table')

    assert not told(OutboxCollector(away))
    assert not told(OutboxCollector(faulty))


def test_a_hanging_database_is_queried_once_without_waiting() -> None:
    let_go, asked = Event(), []

    def hang() -> OutboxTally:
        asked.append(1)
        let_go.wait()
        return OutboxTally(pending=0, failed=0, oldest=None)

    collector = OutboxCollector(hang, timeout=0.01)
    try:
        assert not told(collector)
        assert not told(collector)
        assert len(asked) == 1
    finally:
        let_go.set()
