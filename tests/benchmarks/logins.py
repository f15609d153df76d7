"""What a flood of logins does to reading: how long a list of projects takes, with the flood and without.

Served by Gunicorn with the service's own settings, on the machine that asks as well. Sixteen clients log in,
each to an account of its own and again as soon as it is answered, whatever the answer: who finds no turn to
hash hears 503. One more client reads meanwhile. Both by turns, as the machine may have other work, too; the
ratio is what to look at.
"""
import json
import statistics
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from alembic import command
from alembic.config import Config

from talelio_backend.config import PROJECT_FOLDER
from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres
from tests.benchmarks.requests_at_once import requests_for
from tests.support.members import WHITELIST, Member, join, publish
from tests.support.served_api import ServedApi

ROUNDS = 5
SECONDS = 4.0
CLIENTS = 16
PROJECTS = 10
# What a read may slow down to under the flood.
BOUND = 5.0


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / 'postgres', durable=False) as url:
            config = Config(PROJECT_FOLDER / 'alembic.ini')
            config.attributes['database_url'] = url
            command.upgrade(config, 'head')
            environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST), 'BCRYPT_COST': '12', 'MAX_REQUESTS': '0'}
            with ServedApi(folder, url, environ) as api:
                members = [join(api) for _ in range(CLIENTS)]
                for number in range(PROJECTS):
                    publish(api, members[0], f'A chair, number {number}', 'The seat is of *ash*. ' * 90)
                _report(api, members)


def _report(api: ServedApi, members: list[Member]) -> None:
    request = f'GET {members[0].projects_path} HTTP/1.1\r\nHost: api.test\r\n\r\n'.encode()
    idle, flooded, ratios = [], [], []
    statuses: Counter[int] = Counter()
    for _ in range(ROUNDS):
        idle.append(_median_ms(api, request))
        with _flood(api, members, statuses):
            flooded.append(_median_ms(api, request))
        ratios.append(flooded[-1] / idle[-1])
    print(
        f'{ROUNDS} rounds of {SECONDS:.0f} s, {PROJECTS} projects, 2 workers, {CLIENTS} clients that log in'
    )
    print(f'p50 idle      {_spread(idle)} ms')
    print(f'p50 flooded   {_spread(flooded)} ms')
    print(f'times slower  {_spread(ratios)}, at most {BOUND:.0f} wanted')
    answers = ', '.join(f'{number} x {status}' for status, number in sorted(statuses.items()))
    print(f'Answers to logins: {answers}')


def _median_ms(api: ServedApi, request: bytes) -> float:
    return statistics.median(requests_for(api.url, request, seconds=SECONDS, clients=1)) * 1000


@contextmanager
def _flood(api: ServedApi, members: list[Member], statuses: Counter[int]) -> Iterator[None]:
    over = threading.Event()

    def log_in(member: Member) -> None:
        body = json.dumps(member.person.login)
        with requests.Session() as session:
            while not over.is_set():
                answer = session.post(
                    f'{api.url}/v1/accounts/login',
                    body,
                    headers={'Content-Type': 'application/json'},
                    timeout=60
                )
                statuses[answer.status_code] += 1

    threads = [threading.Thread(target=log_in, args=(member, )) for member in members]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _spread(values: list[float]) -> str:
    return f'{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})'


if __name__ == '__main__':
    main()
