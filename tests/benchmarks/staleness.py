"""How old an answer can be: writes through the API, and writes past it, each looked for at once.

Served by four workers. After each write that was answered, readers ask over connections of their own, which
lead to all the workers; one that shows something older is counted. Of a commit past the API, which no worker
can know of before it is told, the time is measured until the last request that was shown what was before.
"""
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path

import requests
from alembic import command
from alembic.config import Config
from psycopg2.extensions import connection

from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.database import connect, execute
from tests.support.members import WHITELIST, join, publish
from tests.support.served_api import ServedApi

WRITES = 10_000
WRITES_PAST = 2_000
WORKERS = 4
# Connections that stay, and so do with their workers.
READERS = 12
# Of them, after each write.
READS = 3


def main(writes: int = WRITES, writes_past: int = WRITES_PAST) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as parts:
        folder = Path(name)
        url = parts.enter_context(EmbeddedPostgres(folder / 'postgres', durable=False))
        config = Config(PROJECT_FOLDER / 'alembic.ini')
        config.attributes['database_url'] = url
        command.upgrade(config, 'head')
        environ = {
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'MAX_REQUESTS': '0',
            'WEB_CONCURRENCY': str(WORKERS),
        }
        api = parts.enter_context(ServedApi(folder, url, environ))
        member = join(api)
        path = f'{api.url}/v1/projects/{publish(api, member, "A chair", "Ash.")["id"]}'
        readers = _readers(parts, api.url + member.projects_path)
        database = parts.enter_context(closing(connect(url)))
        stale = _through_the_api(path, member.bearer, readers, writes)
        print(f'{writes} writes through the API, {WORKERS} workers: {stale} of {writes * READS} reads stale')
        ages = _past_the_api(database, readers, writes_past)
        print(
            f'{writes_past} writes past the API: the first read stale {sum(age > 0 for age in ages)} times; '
            f'the last stale one after {max(ages) * 1000:.1f} ms at most'
        )


class _Reader:

    def __init__(self, session: requests.Session, url: str) -> None:
        self._session = session
        self._url = url

    def title(self) -> str:
        title: str = self._session.get(self._url, timeout=20).json()[0]['title']
        return title


def _readers(parts: ExitStack, url: str) -> Iterator[_Reader]:
    return cycle([_Reader(parts.enter_context(requests.Session()), url) for _ in range(READERS)])


def _through_the_api(path: str, bearer: dict[str, str], readers: Iterator[_Reader], writes: int) -> int:
    """Return how many reads after a write were shown something older."""
    stale = 0
    with requests.Session() as writer:
        for number in range(writes):
            title = f'Through {number}'
            writer.patch(path, json={'title': title}, headers=bearer, timeout=20).raise_for_status()
            stale += sum(next(readers).title() != title for _ in range(READS))
    return stale


def _past_the_api(database: connection, readers: Iterator[_Reader], writes: int) -> list[float]:
    """Return, for each write, the seconds after which it was last missed; 0 for never."""
    ages = []
    for number in range(writes):
        title = f'Past {number}'
        reader = next(readers)
        execute(database, 'UPDATE projects SET title = %s', title)
        committed = time.perf_counter()
        age, asked = 0.0, committed
        while reader.title() != title:
            age = max(asked - committed, 1e-6)
            asked = time.perf_counter()
        ages.append(age)
    return ages


if __name__ == '__main__':
    main(*(int(each) for each in sys.argv[1:]))
