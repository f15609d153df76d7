"""More requests at once than the workers have connections to the database, all of which hang."""
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http import HTTPStatus
from threading import Event

from requests import Response

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import connect, select_one
from tests.support.locks import locked
from tests.support.members import join, publish
from tests.support.waiting import wait_until

# Two workers have 64 threads, and this many connections between them.
REQUESTS = 60
CONNECTIONS = 26
WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


def test_who_gets_no_connection_hears_so_within_seconds_and_the_next_request_is_fine(
    serve: Serve, database_url: str
) -> None:
    api = serve(database_url, {'CACHE_MEMORY': '0'})
    member = join(api)
    project = publish(api, member, 'A title', 'text')
    get = partial(api.get, member.projects_path)
    is_exhausted = Event()

    def ask() -> list[Response]:
        answers = [get()]
        while not is_exhausted.is_set():
            answers.append(get())
        return answers

    with (
        closing(connect(database_url)) as database,
        locked(database_url, 'projects', 'ACCESS EXCLUSIVE'),
        ThreadPoolExecutor(REQUESTS) as pool,
    ):
        asking = [pool.submit(ask) for _ in range(REQUESTS)]
        try:
            wait_until(lambda: 'QueuePool limit' in api.log(), 'no connection is left')
            assert select_one(database, WAITING) <= CONNECTIONS
        finally:
            is_exhausted.set()
        alive = api.get('/health/live')
        answers = [response for asked in asking for response in asked.result()]

    ok(alive)
    for response in answers:
        error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
        assert int(response.headers['Retry-After']) >= 1
    # As many as one worker has connections for.
    assert [ok(response) for response in at_once([get] * 12)] == [[project]] * 12
