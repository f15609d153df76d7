"""What a read and a login cost, beside an application that does nothing and beside bcrypt alone.

All are served by Gunicorn with the service's own settings, by turns, on the machine that asks as well. So the
ratio of requests a second is kinder than the truth, and the processor time of a request, that of the server's
processes and that of PostgreSQL's together, is what to reckon with on another machine.
"""
import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt
import psycopg2
from alembic import command
from alembic.config import Config

from talelio_backend.config import PROJECT_FOLDER
from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres
from tests.benchmarks.processes import memory_of, processor_time_of
from tests.benchmarks.requests_at_once import requests_for
from tests.support.members import WHITELIST, Member, join, publish
from tests.support.served_api import ServedApi

ROUNDS = 5
SECONDS = 4.0
CLIENTS = 16
# More at once would be told to come back.
LOGINS = 4
PROJECTS = 10
# About 2 KB, as it is sent.
BODY = '\n\n'.join([
    '## Wood', 'The seat is of *ash*, the legs are of **oak**, both from the same yard. ' * 26
])


@dataclass
class Case:
    name: str
    url: str
    request: bytes
    server: int
    database: int | None
    clients: int = CLIENTS
    per_second: list[float] = field(default_factory=list)
    processor_ms: list[float] = field(default_factory=list)
    database_ms: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def measure(self) -> None:
        before = self._processor_times()
        latencies = requests_for(self.url, self.request, seconds=SECONDS, clients=self.clients)
        server, database = (now - then for now, then in zip(self._processor_times(), before, strict=True))
        self.per_second.append(len(latencies) / SECONDS)
        self.processor_ms.append((server + database) / len(latencies) * 1000)
        self.database_ms.append(database / len(latencies) * 1000)
        self.latencies += latencies

    def _processor_times(self) -> tuple[float, float]:
        return processor_time_of(self.server), processor_time_of(self.database) if self.database else 0.0


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / 'postgres', durable=False) as url:
            config = Config(PROJECT_FOLDER / 'alembic.ini')
            config.attributes['database_url'] = url
            command.upgrade(config, 'head')
            environ = {
                'WHITELISTED_EMAILS': ','.join(WHITELIST),
                'BCRYPT_COST': '12',
                'MAX_REQUESTS': '0',
                'CONSTANT_ANSWER': str(folder / 'constant'),
            }
            (folder / 'api').mkdir()
            with ServedApi(folder / 'api', url, environ) as api:
                member = join(api)
                for number in range(PROJECTS):
                    publish(api, member, f'A chair, number {number}', BODY)
                (folder / 'constant').write_bytes(api.get(member.projects_path).content)
                with ServedApi(folder, url, environ, app='tests.benchmarks.constant:app') as constant:
                    _report(api, constant, member, _postmaster(url))


def _report(api: ServedApi, constant: ServedApi, member: Member, postmaster: int) -> None:

    def of_api(name: str, request: bytes, *, clients: int = CLIENTS) -> Case:
        return Case(name, api.url, request, api.pid, postmaster, clients)

    cases = [
        Case('the same bytes, constant', constant.url, _get('/constant'), constant.pid, None),
        of_api(f'a list of {PROJECTS} projects', _get(member.projects_path)),
        of_api('a user', _get(f'/v1/users/{member.person.username}')),
        of_api('/health/live', _get('/health/live')),
        of_api('a login', _login(member), clients=LOGINS),
    ]
    bare: list[float] = []
    for _ in range(ROUNDS):
        for case in cases:
            case.measure()
        bare.append(_bare_bcrypt())
    size = len(constant.get('/constant').content)
    print(f'{ROUNDS} rounds of {SECONDS:.0f} s, {CLIENTS} clients ({LOGINS} that log in), 2 workers')
    print(f'The list has {size / 1024:.0f} KiB')
    print(f'{"":28}{"requests/s":>20}{"of constant":>13}{"CPU ms":>9}{"its DB":>9}{"p50 ms":>9}{"p99 ms":>9}')
    floor = statistics.median(cases[0].per_second)
    for case in cases:
        _print(
            case.name, case.per_second, floor, [
                statistics.median(case.processor_ms),
                statistics.median(case.database_ms),
                _percentile(case.latencies, 50),
                _percentile(case.latencies, 99)
            ]
        )
    _print('bcrypt alone, hashes/s', bare, floor, [])
    print(f'Memory of the server, all processes (PSS): {memory_of(api.pid) / 1e6:.0f} MB')


def _print(name: str, rates: list[float], floor: float, rest: list[float]) -> None:
    spread = f'{statistics.median(rates):.0f} ({min(rates):.0f}-{max(rates):.0f})'
    print(
        f'{name:28}{spread:>20}{statistics.median(rates) / floor:>13.3f}' +
        ''.join(f'{each:>9.2f}' for each in rest)
    )


def _percentile(latencies: list[float], percent: int) -> float:
    return statistics.quantiles(latencies, n=100)[percent - 1] * 1000


def _get(path: str) -> bytes:
    return f'GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n'.encode()


def _login(member: Member) -> bytes:
    body = json.dumps(member.person.login)
    return (
        f'POST /v1/accounts/login HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\n'
        f'Content-Length: {len(body)}\r\n\r\n{body}'
    ).encode()


def _bare_bcrypt(hashes: int = 16) -> float:
    """Hashes a second of as many threads as the machine can use."""
    began = time.perf_counter()
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: bcrypt.hashpw(b'password', bcrypt.gensalt(12)), range(hashes)))
    return hashes / (time.perf_counter() - began)


def _postmaster(url: str) -> int:
    """The process that all of PostgreSQL's descend from."""
    connection = psycopg2.connect(url.replace('+psycopg2', ''))
    try:
        stat = Path(f'/proc/{connection.info.backend_pid}/stat').read_text(encoding='utf-8')
        return int(stat.rpartition(')')[2].split()[1])
    finally:
        connection.close()


if __name__ == '__main__':
    main()
