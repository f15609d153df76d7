"""More requests at once than the workers have connections to the database, all of which hang."""
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http import HTTPStatus

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import connect, execute, select_one
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
    # So that each worker has made what it makes at its first request.
    at_once([get] * REQUESTS)

    with (
        closing(connect(database_url)) as observer,
        closing(connect(database_url, autocommit=False)) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        execute(holder, 'LOCK TABLE projects IN ACCESS EXCLUSIVE MODE')
        asking = pool.submit(at_once, [get] * REQUESTS)
        wait_until(lambda: select_one(observer, WAITING) >= CONNECTIONS // 2, 'requests wait')
        assert select_one(observer, WAITING) <= CONNECTIONS
        alive = api.get('/health/live')
        answers = asking.result()

    ok(alive)
    for answer in answers:
        error_of(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        assert int(answer.headers['Retry-After']) >= 1
        # A connection is waited for less than two seconds, and a lock two; the rest is the test's own crowd.
        assert answer.elapsed.total_seconds() < 8
    assert [ok(answer) for answer in at_once([get] * REQUESTS)] == [[project]] * REQUESTS
