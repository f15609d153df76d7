from datetime import UTC, datetime, timedelta, timezone

import pytest

from talelio_backend.shared.presentation.schemas import format_utc


@pytest.mark.parametrize(
    ('time', 'text'),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '2026-01-02 03:04:05.000000'),
        (datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC), '2026-01-02 03:04:05.000600'),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=4))), '2026-01-01 23:04:05.000000'),
    ],
)
def test_times_are_utc_with_six_digits(time: datetime, text: str) -> None:
    assert format_utc(time) == text
