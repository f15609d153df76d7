from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from talelio_backend.shared.presentation.schemas import Body, TimeInput


class TimeBody(Body):
    at: TimeInput


@pytest.mark.parametrize(
    'text',
    [
        '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00', '2026-01-31T12:00', '2026-01-31T12:00:00Z',
        '2026-01-31t12:00:00z', '2026-01-31T13:00:00+01:00', '2026-01-31T07:30:00.0-04:30'
    ],
)
def test_a_time_is_parsed_as_utc(text: str) -> None:
    time = TimeBody.model_validate({'at': text}).at

    assert time == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert time.tzinfo == UTC


@pytest.mark.parametrize(
    'given',
    [
        '', 'now', '2026-01-31', '2026-02-30 12:00', '2026-W05-6', '20260131T120000', '2026-01-31 24:00',
        '2026-01-31 12:00:00.0000000', '٢٠٢٦-01-31 12:00', '0001-01-01 00:00+01:00', '9999-12-31 23:59-01:00',
        '2026-01-31 12:00+25:00', ' 2026-01-31 12:00', 1769860800, 1.5, True, ['2026-01-31 12:00'], {}
    ],
)
def test_an_invalid_time_is_rejected(given: object) -> None:
    with pytest.raises(ValidationError, match='must be a time such as'):
        TimeBody.model_validate({'at': given})
