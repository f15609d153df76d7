from dataclasses import replace
from typing import Any

import pytest

from talelio_backend.shared.business.checkup import Status
from talelio_backend.shared.business.database_checkup import DatabaseState, judge_database, judge_schema

GOOD = DatabaseState(
    place='db.example.com:5432/talelio',
    version='18.1',
    is_standby=False,
    is_read_only=False,
    encoding='UTF8',
    clock_ahead=0.1,
    connections=24,
)


def test_a_good_database_is_ok_in_every_respect() -> None:
    findings = list(judge_database(GOOD, wanted_connections=24))

    assert [(finding.name, finding.status) for finding in findings] == [
        ('database', Status.OK),
        ('database writes', Status.OK),
        ('database encoding', Status.OK),
        ('database clock', Status.OK),
        ('database connections', Status.OK),
    ]
    assert findings[0].found == 'PostgreSQL 18.1 at db.example.com:5432/talelio'


@pytest.mark.parametrize(('change', 'name', 'status', 'mend'), [
    ({'is_standby': True, 'is_read_only': True}, 'database writes', Status.FAIL, 'primary'),
    ({'is_read_only': True}, 'database writes', Status.FAIL, 'RESET default_transaction_read_only'),
    ({'closed_tables': ('accounts', 'users')}, 'database writes', Status.FAIL, 'GRANT'),
    ({'encoding': 'SQL_ASCII'}, 'database encoding', Status.FAIL, 'createdb'),
    ({'encoding': 'LATIN1'}, 'database encoding', Status.FAIL, 'createdb'),
    ({'clock_ahead': -3600}, 'database clock', Status.FAIL, 'NTP'),
    ({'connections': 23}, 'database connections', Status.WARN, 'WEB_CONCURRENCY'),
])  # yapf: disable
def test_what_is_wrong_is_found_and_nothing_else(
    change: dict[str, Any], name: str, status: Status, mend: str
) -> None:
    findings = judge_database(replace(GOOD, **change), wanted_connections=24)

    [wrong] = [finding for finding in findings if finding.status is not Status.OK]
    assert (wrong.name, wrong.status) == (name, status)
    assert wrong.mend is not None and mend in wrong.mend


@pytest.mark.parametrize(('current', 'is_older', 'migrates_itself', 'status'), [
    ('bbb', False, False, Status.OK),
    ('aaa', True, False, Status.FAIL),
    (None, True, False, Status.FAIL),
    (None, True, True, Status.WARN),
    ('ccc', False, False, Status.WARN),
])
def test_the_schema(current: str | None, is_older: bool, migrates_itself: bool, status: Status) -> None:
    finding = judge_schema(current, 'bbb', is_older=is_older, migrates_itself=migrates_itself)

    assert finding.status is status
    assert 'bbb' in finding.found
    assert (current or 'no revision') in finding.found
    assert ('alembic upgrade head' in (finding.mend or '')) is is_older
