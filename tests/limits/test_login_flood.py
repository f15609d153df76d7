"""A flood of logins makes logins slow, and reading hardly. `make bench` measures the same at more length."""
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from statistics import median

import requests

from tests.e2e.conftest import Serve
from tests.limits.ratios import median_ratio
from tests.support.members import Member, join, publish
from tests.support.served_api import TIMEOUT, ServedApi
from tests.support.waiting import wait_until

CLIENTS = 16
READS = 60
MOST_TIMES_SLOWER = 5


@contextmanager
def flood(api: ServedApi, members: list[Member], statuses: Counter[int]) -> Iterator[None]:
    over = threading.Event()

    def log_in(member: Member) -> None:
        with requests.Session() as session:
            while not over.is_set():
                response = session.post(
                    f'{api.url}/v1/accounts/login', json=member.person.login, timeout=TIMEOUT
                )
                statuses[response.status_code] += 1

    with ThreadPoolExecutor(len(members)) as pool:
        clients = [pool.submit(log_in, member) for member in members]
        try:
            before = statuses.total()
            wait_until(lambda: statuses.total() >= before + 4, 'logins are answered')
            yield
        finally:
            over.set()
        for client in clients:
            client.result()


def median_of_reads(api: ServedApi, path: str) -> float:
    """Seconds."""
    times = []
    with requests.Session() as session:
        for _ in range(READS):
            began = time.perf_counter()
            assert session.get(api.url + path, timeout=TIMEOUT).status_code == HTTPStatus.OK
            times.append(time.perf_counter() - began)
    return median(times)


def test_reads_are_less_than_five_times_slower_while_sixteen_clients_log_in(
    serve: Serve, api: ServedApi, api_database_url: str
) -> None:
    members = [join(api) for _ in range(CLIENTS)]
    for number in range(10):
        publish(api, members[0], f'A chair, number {number}', 'The seat is of *ash*. ' * 90)
    # As costly as in production, and without kept answers, which would make it easy.
    costly = serve(api_database_url, {'BCRYPT_COST': '12', 'CACHE_MEMORY': '0'})
    path = members[0].projects_path
    statuses: Counter[int] = Counter()

    def flooded_and_idle() -> tuple[float, float]:
        idle = median_of_reads(costly, path)
        with flood(costly, members, statuses):
            return median_of_reads(costly, path), idle

    assert median_ratio(flooded_and_idle) < MOST_TIMES_SLOWER
    # Who finds no turn to hash is told to come back.
    assert statuses.keys() <= {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE} and statuses[HTTPStatus.OK] > 0
