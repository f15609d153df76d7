"""What the server reads for questions about mails, however many were sent."""
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from talelio_backend.bootstrap import UnitOfWork
from tests.support.engines import scalar
from tests.support.plans import check
from tests.support.samples import NOW

FAILED, PENDING = 5, 7


@pytest.fixture(name='full', scope='module', autouse=True)
def _full(shared_engine: Engine) -> None:
    """Thousands of mails, of which nearly all were sent."""
    scalar(shared_engine, 'DELETE FROM outbox')
    for status, number in ('sent', 20_000), ('failed', FAILED), ('pending', PENDING):
        scalar(
            shared_engine, """
            INSERT INTO outbox (
                message_id, kind, payload, status, created_at, due_at, tries, trying_since, finished_at
            )
            SELECT gen_random_uuid(), 'note', '{}', :status, :now, :now, 1, :now,
                CASE WHEN :status = 'sent' THEN :now END
            FROM generate_series(1, :number)
            """, status=status, number=number, now=NOW
        )  # yapf: disable
    scalar(shared_engine, 'ANALYZE outbox')


def test_mails_are_tallied_without_a_look_at_those_that_were_sent(shared_engine: Engine) -> None:

    def ask() -> None:
        with UnitOfWork(shared_engine) as uow:
            tally = uow.outbox.tally()
        assert (tally.failed, tally.pending) == (FAILED, PENDING)

    check(shared_engine, ask, most=2 * (FAILED + PENDING))


def test_the_next_mail_is_found_without_a_look_at_those_that_were_sent(shared_engine: Engine) -> None:

    def ask() -> None:
        with UnitOfWork(shared_engine) as uow:
            assert uow.outbox.next_due(NOW + timedelta(seconds=1)) is not None

    check(shared_engine, ask, most=2 * PENDING)
