"""All that a measurement needs: a database with people and projects in it, servers, clients."""
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path

import psycopg2
from alembic import command
from alembic.config import Config

from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from talelio_backend.settings import PROJECT_FOLDER
from tests.benchmarks.http_load import Answers, Scripts, ask_in_a_process, of_clients
from tests.benchmarks.pictures import photograph, upload_of
from tests.benchmarks.processes import processor_time_of
from tests.benchmarks.results import Sample
from tests.support.members import WHITELIST, Member, join, publish
from tests.support.processes import parent_of
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink

PROJECTS = 10
UPLOADS = 4
# About 2 KB, as it is sent.
BODY = '\n\n'.join([
    '## Wood', 'The seat is of *ash*, the legs are of **oak**, both from the same yard. ' * 26
])
FLOORS = 'tests.benchmarks.floors_config'


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long everything takes."""

    rounds: int = 5
    seconds: float = 2.0
    mixed_seconds: float = 60.0
    # After which whatever ends when nobody needs it has ended.
    rest_seconds: float = 90.0
    # Connections that are kept, each with a request under way.
    clients: int = 16
    # Of passwords' hashes. As in production, unless it is to be seen whether the benchmarks still run.
    bcrypt_cost: int = 12
    picture: tuple[int, int] = (4032, 3024)
    # Projects of one user, and of all.
    growth: tuple[int, int] = (100_000, 1_000_000)


@dataclass
class Rig:
    """Servers start at their first use, and end with the rig."""

    pace: Pace
    folder: Path
    database_url: str
    mail_url: str
    clients: ProcessPoolExecutor
    closing: ExitStack
    constants: Path = field(init=False)

    def __post_init__(self) -> None:
        self.constants = self.folder / 'constants'
        self.constants.mkdir()

    @cached_property
    def service(self) -> ServedApi:
        return self._serve('service', {})

    @cached_property
    def uncached(self) -> ServedApi:
        """The same without its cache of answers."""
        return self._serve('uncached', {'CACHE_MEMORY': '0'})

    @cached_property
    def floors(self) -> ServedApi:
        """`floors.py`, by the same Gunicorn with the same settings."""
        return self._serve('floors', {'BENCHMARK_CONSTANTS': str(self.constants)}, config=FLOORS)

    def _serve(self, name: str, environ: dict[str, str], *, config: str | None = None) -> ServedApi:
        return self.closing.enter_context(self.server(name, environ, config=config))

    def server(self, name: str, environ: dict[str, str], *, config: str | None = None) -> ServedApi:
        """With production's settings, but that workers are not replaced and a stop does not wait."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        settings = {
            'ENV': 'production',
            'API_BASE_URL': 'https://api.test',
            'SMTP_URL': self.mail_url,
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'BCRYPT_COST': str(self.pace.bcrypt_cost),
            'MAX_REQUESTS': '0',
            'DRAIN_SECONDS': '0',
            'PYTHONPATH': str(self._without_development_packages),
        }
        return ServedApi(folder, self.database_url, settings | environ, config=config)

    @cached_property
    def _without_development_packages(self) -> Path:
        """Hides what the service would import if it is there: 10 MiB that production does not have."""
        folder = self.folder / 'hiding'
        folder.mkdir()
        (folder / 'cryptography.py').write_text("raise ModuleNotFoundError('not in production')\n", 'utf-8')
        return folder

    @cached_property
    def members(self) -> list[Member]:
        """As many as clients, and as many again who do nothing but log in."""
        return [join(self.service) for _ in range(2 * self.pace.clients)]

    @cached_property
    def owner(self) -> Member:
        """Whose list of ten is read, and never written to."""
        member = join(self.service)
        for number in range(PROJECTS):
            publish(self.service, member, f'A chair, number {number}', BODY)
        return member

    @cached_property
    def uploads(self) -> list[bytes]:
        """Requests, each with another photograph."""
        return [
            upload_of(member, photograph(number, self.pace.picture))
            for number, member in enumerate(self.members[:UPLOADS])
        ]

    @cached_property
    def postmaster(self) -> int:
        """The process that all of PostgreSQL's descend from."""
        connection = psycopg2.connect(self.database_url.replace('+psycopg2', ''))
        try:
            return parent_of(connection.info.backend_pid)
        finally:
            connection.close()

    def start(self, url: str, scripts: Scripts, *, seconds: float, warm_up: float = 0.2) -> Future[Answers]:
        return self.clients.submit(ask_in_a_process, url, scripts, seconds, warm_up)

    def measure(self, server: ServedApi, request: bytes, *, clients: int = 0, status: int = 200) -> Sample:
        """By default of as many clients as the pace says."""
        return self.measure_scripts(
            server, partial(of_clients, request, clients or self.pace.clients, status)
        )

    def measure_scripts(
        self,
        server: ServedApi,
        scripts: Scripts,
        *,
        seconds: float | None = None,
        warm_up: float = 0.2
    ) -> Sample:
        before = processor_time_of(server.pid), processor_time_of(self.postmaster)
        responses = self.start(server.url, scripts, seconds=seconds or self.pace.seconds,
                               warm_up=warm_up).result()
        return Sample(
            rate=responses.rate(),
            server=processor_time_of(server.pid) - before[0],
            database=processor_time_of(self.postmaster) - before[1],
            client=responses.client,
            requests=responses.answered,
            latencies=[latency for each in responses.latencies.values() for latency in each],
        )


@contextmanager
def make_rig(pace: Pace, folder: Path) -> Iterator[Rig]:
    with ExitStack() as closing:
        # Without its waits for the disk, which would be the same on both sides of a ratio.
        url = closing.enter_context(EmbeddedPostgres(folder / 'postgres', durable=False))
        config = Config(PROJECT_FOLDER / 'alembic.ini')
        config.attributes['database_url'] = url
        command.upgrade(config, 'head')
        mail = closing.enter_context(SmtpSink())
        clients = closing.enter_context(ProcessPoolExecutor(3, mp_context=get_context('spawn')))
        yield Rig(pace, folder, url, mail.url, clients, closing)
