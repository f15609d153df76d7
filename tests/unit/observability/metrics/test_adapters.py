"""What stands around an adapter does what it does, and counts."""
from collections.abc import Sequence
from uuid import uuid4

import pytest

from talelio_backend.app_asset.business.ports import NewFile
from talelio_backend.observability.metrics.image_store import MeasuredImageStore
from talelio_backend.observability.metrics.mail import MeasuredMailer
from talelio_backend.observability.metrics.work import WorkMetrics
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.workers.bulkhead import Bulkhead
from tests.fakes.images import FakeImageStore
from tests.fakes.ports import FakeMailer
from tests.support.measured import registry_of

FILE = NewFile(key='1/a.png', content=b'a', media_type='image/png')
MAIL = Mail(to='a@example.com', subject='', text='', html='', link='')


class Away(FakeImageStore):

    def save(self, files: Sequence[NewFile]) -> None:
        raise Unavailable('The storage is not available')


def test_operations_of_a_store_are_counted() -> None:
    inner = FakeImageStore()
    store = MeasuredImageStore(inner)
    registry = registry_of(store)
    store.save([FILE])
    assert store.exists(FILE.key)
    assert [each.key for each in store.list()] == [FILE.key]
    assert store.url(FILE.key) == inner.url(FILE.key)
    assert str(store) == str(inner)
    store.delete([FILE.key])
    assert not store.exists(FILE.key)

    name = 'talelio_storage_operation_duration_seconds_count'
    counted = {
        operation: registry.get_sample_value(name, {'operation': operation})
        for operation in ('save', 'exists', 'delete')
    }
    assert counted == {'save': 1, 'exists': 2, 'delete': 1}


def test_failed_store_operations_are_counted_by_kind() -> None:
    store = MeasuredImageStore(Away())

    with pytest.raises(Unavailable):
        store.save([FILE])

    labels = {'operation': 'save', 'kind': 'Unavailable'}
    assert registry_of(store).get_sample_value('talelio_storage_errors_total', labels) == 1


@pytest.mark.parametrize(
    ('error', 'outcome'),
    [
        (None, 'sent'),
        (MailNotSent('busy', permanent=False), 'failed'),
        (MailNotSent('no such mailbox', permanent=True), 'refused'),
    ],
)
def test_mail_attempts_are_counted_by_outcome(error: MailNotSent | None, outcome: str) -> None:
    inner = FakeMailer()
    inner.failure = error
    mailer = MeasuredMailer(inner)
    registry = registry_of(mailer)
    try:
        mailer.send(MAIL, uuid4())
    except MailNotSent as caught:
        assert caught is error

    assert registry.get_sample_value('talelio_mail_tries_total', {'outcome': outcome}) == 1
    assert registry.get_sample_value('talelio_mail_duration_seconds_count') == 1


def test_slots_are_counted_while_in_use() -> None:
    metrics = WorkMetrics()
    registry, observer = registry_of(metrics), metrics.bulkhead('passwords')
    bulkhead = Bulkhead('passwords', at_once=1, waiting=1, timeout=0.01, observer=observer)

    def value(name: str) -> float | None:
        return registry.get_sample_value(f'talelio_work_{name}', {'what': 'passwords'})

    with bulkhead.slot():
        assert (value('in_progress'), value('waiting')) == (1, 0)
        with pytest.raises(Unavailable), bulkhead.slot():
            pass
    assert (value('in_progress'), value('waiting')) == (0, 0)
    assert value('refused_total') == 1
    assert value('duration_seconds_count') == 1
