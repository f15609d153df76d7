"""Every write of the API, sent from many threads to two workers in one moment, at one target."""
from collections import Counter
from typing import Any

import pytest
from psycopg2.extensions import connection

from tests.support.at_once import at_once
from tests.support.attempts import AT_ONCE, Attempt, Prepare
from tests.support.documented_api import document
from tests.support.served_api import ServedApi
from tests.support.writes import OPERATIONS, WRITES

# A GET that writes all the same: the link in a mail.
WRITING_READS = {'registration_verify'}


def writes_in(paths: dict[str, Any]) -> set[str]:
    return {
        operation['operationId']
        for item in paths.values()
        for method, operation in item.items() if method in ('post', 'put', 'patch', 'delete')
    } | WRITING_READS


def test_each_write_of_the_api_has_a_case_here() -> None:
    assert OPERATIONS.keys() == writes_in(document()['paths'])


@pytest.mark.parametrize('prepare', [pytest.param(prepare, id=name) for name, prepare in WRITES.items()])
def test_what_is_sent_by_many_at_once_is_done_as_often_as_they_hear(
    api: ServedApi, database: connection, prepare: Prepare
) -> None:
    attempt = prepare(api)
    assert attempt.traces(database) == attempt.after(0)

    statuses = Counter(response.status_code for response in at_once([attempt.send] * AT_ONCE))

    assert_allowed(attempt, statuses)
    assert attempt.traces(database) == attempt.after(statuses[attempt.success])


def assert_allowed(attempt: Attempt, statuses: Counter[int]) -> None:
    assert statuses.keys() <= attempt.answers.keys(), statuses
    for status, (least, most) in attempt.answers.items():
        assert least <= statuses[status] <= most, statuses
