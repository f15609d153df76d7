"""Answers that are kept, over four workers: none is ever older than what its reader has a right to see."""
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
import requests
from psycopg2.extensions import connection

from tests.support.answers import ok
from tests.support.at_once import at_once
from tests.support.database import execute, select_one
from tests.support.members import WHITELIST, Member, join, publish
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.waiting import wait_until

WORKERS = 4
WRITES = 20
# Each of them comes over a connection of its own, and so to any of the workers.
READERS = 8


@pytest.fixture(name='served', scope='module')
def _served(tmp_path_factory: pytest.TempPathFactory, api_database_url: str) -> Iterator[ServedApi]:
    environ = {'WEB_CONCURRENCY': str(WORKERS), 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    with ServedApi(tmp_path_factory.mktemp('cached'), api_database_url, environ) as served:
        yield served


@pytest.fixture(name='owner')
def _owner(served: ServedApi) -> Member:
    return join(served)


def titles(served: ServedApi, owner: Member) -> list[str]:
    """As each of some readers is told at the same time."""
    return [
        title for each in at_once([lambda: ok(served.get(owner.projects_path))] * READERS)
        for title in (project['title'] for project in each)
    ]


def test_what_is_kept_needs_no_database(served: ServedApi, owner: Member, database: connection) -> None:
    publish(served, owner, 'A chair', 'Ash.')
    # A connection stays with its worker.
    with requests.Session() as session:
        first = session.get(served.url + owner.projects_path, timeout=TIMEOUT)
        execute(database, 'BEGIN')
        execute(database, 'LOCK TABLE projects, users IN ACCESS EXCLUSIVE MODE')
        try:
            second = session.get(served.url + owner.projects_path, timeout=TIMEOUT)
        finally:
            execute(database, 'ROLLBACK')

    assert ok(second) == ok(first)
    assert second.headers['ETag'] == first.headers['ETag']


def test_whoever_writes_sees_it_in_the_next_answer(served: ServedApi, owner: Member) -> None:
    project = publish(served, owner, 'A chair', 'Ash.')
    path = f'/v1/projects/{project["id"]}'

    for number in range(WRITES):
        title = f'A chair, {number}'
        ok(served.patch(path, {'title': title}, headers=owner.bearer))
        assert titles(served, owner) == [title] * READERS

    assert served.delete(path, headers=owner.bearer).status_code == HTTPStatus.NO_CONTENT
    assert titles(served, owner) == []


def test_what_others_write_is_seen(served: ServedApi, owner: Member, database: connection) -> None:
    publish(served, owner, 'A chair', 'Ash.')
    titles(served, owner)

    # As another server does, or a command.
    execute(database, "UPDATE projects SET title = 'A table' WHERE title = 'A chair'")

    wait_until(lambda: titles(served, owner) == ['A table'] * READERS, 'the new title')


def test_a_worker_that_hears_nothing_keeps_nothing(
    served: ServedApi, owner: Member, database: connection
) -> None:
    publish(served, owner, 'A chair', 'Ash.')
    titles(served, owner)

    user_id = owner.account['user']['id']
    ended = select_one(
        database, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND position('due_at' IN query) > 0"
    )
    assert ended >= WORKERS
    for number in range(20):
        expected = [str(number)] * READERS
        execute(database, 'UPDATE projects SET title = %s WHERE user_id = %s', str(number), user_id)
        wait_until(lambda: titles(served, owner) == expected, 'the new title')  # pylint: disable=cell-var-from-loop


def test_a_project_is_shown_from_its_time_on(served: ServedApi, owner: Member) -> None:
    instant = datetime.now(UTC) + timedelta(seconds=1)
    headers = owner.bearer
    body = {'title': 'Later', 'body': 'Ash.', 'published_at': instant.isoformat()}
    ok(served.post('/v1/projects', body, headers=headers), HTTPStatus.CREATED)

    asked = datetime.now(UTC)
    while asked <= instant:
        shown = titles(served, owner)
        # Whatever was sent around that time may be either.
        assert shown == [] or datetime.now(UTC) >= instant
        asked = datetime.now(UTC)
    assert titles(served, owner) == ['Later'] * READERS


def test_what_is_for_the_owner_alone_is_shown_to_nobody_else(served: ServedApi, owner: Member) -> None:
    draft = ok(
        served.post(
            '/v1/projects', {
                'title': 'A draft',
                'body': 'Ash.',
                'status': 'draft'
            }, headers=owner.bearer
        ), HTTPStatus.CREATED
    )
    path = f'/v1/projects/{draft["id"]}'

    for _ in range(10):
        assert ok(served.get(path, headers=owner.bearer))['title'] == 'A draft'
        assert served.get(path).status_code == HTTPStatus.NOT_FOUND
        assert ok(served.get(f'{owner.projects_path}?status=all')) == []
