"""All parts of the service, each of which can be killed and started again on its own."""
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.database import connect, execute, select_one
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.processes import children_of
from tests.support.s3_servers import AWS_ENVIRON, MotoServer
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.uploads import stored_files
from tests.support.waiting import wait_until

WORKERS = 2
# Seconds that the live relays have for what is in the outbox; what is left then was a dead one's.
_RELAYS = 3
# Seconds: the relays pause for five when there is no database.
_PATIENCE = 60


@dataclass(frozen=True, kw_only=True)
class World:
    api: ServedApi
    postgres: OwnPostgres
    sink: SmtpSink
    stored: Callable[[], set[str]]

    def workers(self) -> list[int]:
        return children_of(self.api.pid)

    def restart_what_is_dead(self) -> None:
        if not self.api.runs:
            self.api.start()
        wait_until(lambda: len(self.workers()) == WORKERS, 'all workers are there')
        wait_until(self._is_ready, 'ready', timeout=_PATIENCE)

    def _is_ready(self) -> bool:
        with suppress(OSError):
            return self.api.get('/health/ready').status_code == 200
        return False

    def wait_for_mail(self) -> None:
        """Return when all mail has left. The leases of the dead end at once, instead of after two minutes."""
        query = "SELECT count(*) FROM outbox WHERE status = 'pending'"
        with closing(connect(self.postgres.direct_url)) as database:

            def has_left() -> bool:
                return bool(select_one(database, query) == 0)

            try:
                wait_until(has_left, 'all mail has left', timeout=_RELAYS)
            except AssertionError:
                execute(database, "UPDATE outbox SET due_at = created_at WHERE status = 'pending'")
                wait_until(has_left, 'all mail has left', timeout=_PATIENCE)


@contextmanager
def new_world(folder: Path, *, on_s3: bool) -> Iterator[World]:
    with ExitStack() as stack:
        (folder / 'postgres').mkdir()
        postgres = stack.enter_context(own_postgres(folder / 'postgres', durable=True))
        sink = stack.enter_context(SmtpSink())
        environ = {
            'SMTP_URL': sink.url,
            'WEB_CONCURRENCY': str(WORKERS),
            'TRUSTED_PROXIES': '127.0.0.1',
        }
        if on_s3:
            s3 = stack.enter_context(MotoServer(folder))
            bucket = s3.make_bucket()
            environ |= {
                **AWS_ENVIRON,
                'S3_BUCKET': bucket,
                'AWS_ENDPOINT_URL_S3': s3.url,
                'AWS_REGION': 'us-east-1',
            }
            pages = s3.client.get_paginator('list_objects_v2')

            def stored() -> set[str]:
                return {
                    item['Key']
                    for page in pages.paginate(Bucket=bucket)
                    for item in page.get('Contents', [])
                }
        else:

            def stored() -> set[str]:
                return stored_files(folder / 'images')

        api = ServedApi(folder, postgres.url, environ)
        stack.callback(_end, api)
        api.start()
        # So that the clients find it there after a restart.
        api.environ['PORT'] = api.url.rpartition(':')[2]
        yield World(api=api, postgres=postgres, sink=sink, stored=stored)


def _end(api: ServedApi) -> None:
    if api.runs:
        api.kill()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _kill_a_worker(world: World) -> None:
    _kill(random.choice(world.workers()))


def _kill_the_relay(world: World) -> None:
    """The workers, at the moment when one of them has handed a mail over and not heard that it is taken."""
    handed_over = threading.Event()

    def kill() -> None:
        if not handed_over.is_set():
            for worker in world.workers():
                _kill(worker)
            handed_over.set()

    world.sink.before_answer = kill
    if not handed_over.wait(_RELAYS):
        kill()
    world.sink.before_answer = None


def _kill_gunicorn(world: World) -> None:
    world.api.kill()


def _kill_postgres(world: World) -> None:
    world.postgres.kill()
    world.postgres.start()


def _kill_everything(world: World) -> None:
    world.postgres.kill()
    world.api.kill()
    world.postgres.start()


# Each returns when what is not started by itself has been started again, but for the API.
VICTIMS: dict[str, Callable[[World], None]] = {
    'a worker': _kill_a_worker,
    'the workers, one of them handing over a mail': _kill_the_relay,
    'all of Gunicorn': _kill_gunicorn,
    'PostgreSQL': _kill_postgres,
    'Gunicorn and PostgreSQL': _kill_everything,
}
