import logging
from io import StringIO

import pytest

from talelio_backend.observability.batching_handler import BatchingHandler
from tests.support.waiting import wait_until


def record(message: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord('a', level, '', 0, message, None, None)


class Written(StringIO):
    """Keeps each write as one."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str, /) -> int:
        self.writes.append(text)
        return len(text)


@pytest.fixture(name='batching')
def fixture_batching(monkeypatch: pytest.MonkeyPatch) -> tuple[BatchingHandler, Written]:
    """A handler whose own thread never writes."""
    monkeypatch.setattr(
        'talelio_backend.shared.workers.periodic_thread.PeriodicThread.start', lambda self: None
    )
    written = Written()
    handler = BatchingHandler(written)
    handler.start()
    return handler, written


def test_until_it_is_started_each_line_is_written_at_once() -> None:
    written = Written()
    handler = BatchingHandler(written)

    assert handler.handle(record('a')) and handler.handle(record('b'))

    assert written.writes == ['a\n', 'b\n']


def test_lines_wait_and_are_written_together(batching: tuple[BatchingHandler, Written]) -> None:
    handler, written = batching

    handler.handle(record('a'))
    handler.handle(record('b'))
    assert not written.writes
    handler.flush()
    handler.flush()

    assert written.writes == ['a\nb\n']


def test_a_warning_is_written_at_once_after_the_lines_before_it(
    batching: tuple[BatchingHandler, Written]
) -> None:
    handler, written = batching

    handler.handle(record('a'))
    handler.handle(record('b', logging.WARNING))

    assert written.writes == ['a\nb\n']


def test_a_filtered_record_is_not_written(batching: tuple[BatchingHandler, Written]) -> None:
    handler, written = batching
    handler.addFilter(lambda each: each.msg != 'a')

    assert not handler.handle(record('a'))
    handler.flush()

    assert not written.writes


def test_too_many_lines_are_written_by_whoever_adds_one(
    batching: tuple[BatchingHandler, Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('talelio_backend.observability.batching_handler._MOST', 3)
    handler, written = batching

    for message in 'abc':
        handler.handle(record(message))

    assert written.writes == ['a\nb\nc\n']


def test_its_thread_writes() -> None:
    written = Written()
    handler = BatchingHandler(written)
    handler.start()

    handler.handle(record('a'))

    wait_until(lambda: written.writes == ['a\n'], 'the line is written')


def test_an_error_is_reported_as_by_any_handler(capsys: pytest.CaptureFixture[str]) -> None:
    closed = StringIO()
    closed.close()

    BatchingHandler(closed).handle(record('a'))

    assert 'Logging error' in capsys.readouterr().err
