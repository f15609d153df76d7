"""What the outbox promises about mail that is finished, on the real database and on the fake alike."""
from datetime import datetime, timedelta

import pytest

from talelio_backend.bootstrap.pruning import prune
from talelio_backend.shared.mail.business.outbox import RETENTION, MailStatus, OutboxMail, OutboxTally, tally
from tests.support.backings import Backing
from tests.support.samples import AUDIT_RETENTION, NOW

LATER = NOW + RETENTION
JUST_AFTER = timedelta(microseconds=1)


def committed_mail(backing: Backing, status: MailStatus, now: datetime = NOW) -> int:
    mail = OutboxMail.queue('verification', {'account_id': 1}, now)
    if status is not MailStatus.PENDING:
        mail.finish(status, NOW)
    with backing.unit_of_work() as uow:
        uow.outbox.add(mail)
        uow.commit()
    return mail.id


@pytest.mark.parametrize('status', [MailStatus.SENT, MailStatus.OBSOLETE])
def test_what_is_done_goes_away_after_a_while(backing: Backing, status: MailStatus) -> None:
    id_ = committed_mail(backing, status)

    assert prune(backing.unit_of_work(), AUDIT_RETENTION, LATER) == 0
    assert prune(backing.unit_of_work(), AUDIT_RETENTION, LATER + JUST_AFTER) == 1

    with backing.unit_of_work() as uow:
        assert uow.outbox.get_for_update(id_) is None


@pytest.mark.parametrize('status', [MailStatus.PENDING, MailStatus.FAILED])
def test_what_somebody_has_still_to_do_with_stays(backing: Backing, status: MailStatus) -> None:
    id_ = committed_mail(backing, status)

    assert prune(backing.unit_of_work(), AUDIT_RETENTION, LATER + JUST_AFTER) == 0

    with backing.unit_of_work() as uow:
        assert uow.outbox.get_for_update(id_) is not None


def test_what_did_not_leave_is_counted(backing: Backing) -> None:
    assert tally(backing.unit_of_work()) == OutboxTally(pending=0, failed=0, oldest=None)

    for status in MailStatus:
        committed_mail(backing, status)
    committed_mail(backing, MailStatus.PENDING, LATER)
    committed_mail(backing, MailStatus.FAILED, NOW - JUST_AFTER)

    assert tally(backing.unit_of_work()) == OutboxTally(pending=2, failed=2, oldest=NOW)
