"""How soon a request hears that its database is busy or silent, compared with a client that waits as long."""
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from http import HTTPStatus

import psycopg2
import pytest
from requests import Response
from sqlalchemy import make_url

from tests.e2e.conftest import Serve, end
from tests.limits.ratios import median_ratio
from tests.support.answers import error_of
from tests.support.at_once import at_once
from tests.support.database import connect, execute
from tests.support.locks import locked
from tests.support.members import Member, join
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy

# What the service waits for a lock and for a connection, in seconds.
PATIENCE = 2
# Two workers have 64 threads, and fewer connections.
REQUESTS = 60
PROJECT = {'title': 'A title', 'body': 'text'}


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def slowest(calls: Sequence[Callable[[], Response]]) -> float:
    """Seconds to the last of the responses, all of which are refusals."""
    answers = at_once(calls)
    for response in answers:
        error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
    return max(response.elapsed.total_seconds() for response in answers)


def beside(subject: Callable[[], float], reference: Callable[[], object]) -> tuple[float, float]:
    with ThreadPoolExecutor(1) as pool:
        beside_it: Future[float] = pool.submit(seconds, reference)
        return subject(), beside_it.result()


def wait_for_lock(url: str) -> None:
    with closing(connect(url, autocommit=False)) as database, suppress(psycopg2.OperationalError):
        execute(database, f"SET lock_timeout = '{PATIENCE}s'")
        execute(database, 'LOCK TABLE projects IN ROW EXCLUSIVE MODE')


def test_a_request_waits_no_longer_for_a_lock_than_it_may(
    api: ServedApi, api_database_url: str, member: Member
) -> None:
    post = partial(api.post, '/v1/projects', PROJECT, headers=member.bearer)
    with locked(api_database_url, 'projects'):

        def measure() -> tuple[float, float]:
            return beside(partial(slowest, [post] * 8), partial(wait_for_lock, api_database_url))

        assert median_ratio(measure) < 2


def test_a_request_that_gets_no_connection_hears_so_soon(serve: Serve, database_url: str) -> None:
    api = serve(database_url, {'CACHE_MEMORY': '0'})
    get = partial(api.get, join(api).projects_path)
    with locked(database_url, 'projects', 'ACCESS EXCLUSIVE'):

        def measure() -> tuple[float, float]:
            return beside(partial(slowest, [get] * REQUESTS), partial(wait_for_lock, database_url))

        assert median_ratio(measure) < 4


@pytest.fixture(name='silent')
def _silent(database_url: str) -> Iterator[str]:
    """The URL of a database that takes connections and says nothing."""
    url = make_url(database_url)
    with TcpProxy(url.host or '', url.port or 0) as proxy:
        proxy.hang()
        yield url.set(port=proxy.port).render_as_string(hide_password=False)


def test_a_request_waits_no_longer_for_a_silent_database_than_it_may(
    silent: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environ = {
        'ENV': 'production',
        'API_BASE_URL': 'https://api.test',
        'BCRYPT_COST': '10',
        'SMTP_URL': 'smtp://127.0.0.1:1',
    }
    api = ServedApi(tmp_path_factory.mktemp('silent'), silent, environ)
    api.start(wait_for='/health/live')
    try:
        calls = [partial(api.get, path) for path in ('/health/ready', '/v1/users/nobody/projects')]

        def connect_to_it() -> None:
            parts = make_url(silent)
            address = (parts.host or '', parts.port or 0)
            with suppress(TimeoutError), socket.create_connection(address, PATIENCE) as client:
                client.recv(1)

        assert median_ratio(lambda: beside(partial(slowest, calls), connect_to_it)) < 2
    finally:
        end(api)
