"""All parts of the service as production has them, and what an operator does with them."""
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.members import WHITELIST
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.processes import children_of
from tests.support.prometheus import METRICS
from tests.support.s3_servers import AWS_ENVIRON, RcloneServer
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.traefik import HOST, Traefik
from tests.support.waiting import wait_until

WORKERS = 2
# Seconds that the database stays away between its stop and its start: longer than the proxy takes to notice.
AWAY = 8.0
# Seconds; the machine may be busy.
_PATIENCE = 90


@dataclass(kw_only=True)
class World:
    # The one that serves.
    api: ServedApi
    # The one that takes over.
    follower: ServedApi
    traefik: Traefik
    postgres: OwnPostgres
    sink: SmtpSink
    stored: Callable[[], set[str]]
    # Of what runs now, by name; a restart changes them.
    processes: dict[str, int] = field(default_factory=dict)

    def note_processes(self) -> None:
        self.processes['Traefik'] = self.traefik.pid
        self.processes['PostgreSQL'] = self.postgres.postmaster

    def servers(self) -> list[ServedApi]:
        return [api for api in (self.api, self.follower) if api.runs]

    def workers(self) -> list[int]:
        return children_of(self.api.pid)

    def roll(self) -> None:
        """As a deployment does: the next one is asked for work before the one before is told to stop."""
        self.follower.start()
        wait_until(lambda: self._is_up(self.follower), 'Traefik sends it requests', timeout=_PATIENCE)
        self.api, self.follower = self.follower, self.api
        self.follower.terminate()
        assert self.follower.wait() == 0

    def _is_up(self, api: ServedApi) -> bool:
        return self.traefik.server_status().get(api.url) == 'UP'

    def renew_workers(self) -> None:
        """By SIGHUP, as after a change of a setting of Gunicorn's."""
        before = set(self.workers())
        os.kill(self.api.pid, signal.SIGHUP)

        def are_renewed() -> bool:
            now = set(self.workers())
            return len(now) == WORKERS and not now & before

        wait_until(are_renewed, 'all workers are others', timeout=_PATIENCE)

    def restart_database(self) -> None:
        self.postgres.stop()
        self.processes.pop('PostgreSQL')
        time.sleep(AWAY)
        self.postgres.start()
        self.note_processes()
        wait_until(lambda: self._is_up(self.api), 'the API is ready again', timeout=_PATIENCE)


@contextmanager
def new_world(folder: Path, *, bcrypt_cost: int) -> Iterator[World]:
    with ExitStack() as stack:
        for name in ('postgres', 's3', 'traefik', 'one', 'two'):
            (folder / name).mkdir()
        postgres = stack.enter_context(own_postgres(folder / 'postgres', durable=True))
        sink = stack.enter_context(SmtpSink())
        s3 = stack.enter_context(RcloneServer(folder / 's3'))
        bucket = s3.make_bucket()
        environ = {
            **METRICS,
            **AWS_ENVIRON,
            'ENV': 'production',
            'API_BASE_URL': f'https://{HOST}',
            'TRUSTED_PROXIES': '127.0.0.1',
            'WEB_CONCURRENCY': str(WORKERS),
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'BCRYPT_COST': str(bcrypt_cost),
            # Production's bound for leaks would hide one here.
            'MAX_REQUESTS': '0',
            'SMTP_URL': sink.url,
            'S3_BUCKET': bucket,
            'AWS_ENDPOINT_URL_S3': s3.url,
            'AWS_REGION': 'us-east-1',
        }
        api, follower = (
            ServedApi(folder / name, postgres.url, environ | {'PORT': str(port)})
            for name, port in (('one', stack.enter_context(reserved_port())),
                               ('two', stack.enter_context(reserved_port())))
        )
        for each in (api, follower):
            stack.callback(_end, each)
        api.start()
        urls = [f'http://127.0.0.1:{each.environ["PORT"]}' for each in (api, follower)]
        traefik = stack.enter_context(Traefik(folder / 'traefik', urls))
        pages = s3.client.get_paginator('list_objects_v2')

        def stored() -> set[str]:
            return {
                item['Key']
                for page in pages.paginate(Bucket=bucket)
                for item in page.get('Contents', [])
            }

        world = World(
            api=api, follower=follower, traefik=traefik, postgres=postgres, sink=sink, stored=stored
        )
        world.note_processes()
        yield world


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that no other program is given, and at which somebody else may listen."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(('127.0.0.1', 0))
        yield int(holder.getsockname()[1])


def _end(api: ServedApi) -> None:
    if api.runs:
        api.kill()
