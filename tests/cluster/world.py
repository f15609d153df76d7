"""Three API servers behind Traefik and PgBouncer, and a primary whose commits its standby confirms."""
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from tests.soak.world import reserved_port
from tests.support.database import connect, execute, select_one
from tests.support.members import WHITELIST
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.pgbouncer import PgBouncer
from tests.support.prometheus import METRICS
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.standby import copy_to
from tests.support.traefik import HOST, Traefik
from tests.support.waiting import wait_until

SERVERS = 3


@dataclass(kw_only=True)
class World:
    apis: list[ServedApi]
    traefik: Traefik
    pooler: PgBouncer
    # Its proxy is the database's address, which the pooler and the listeners know.
    primary: OwnPostgres
    standby_url: str
    # Past the address: of the one that can be written to.
    writer_url: str

    def lose_a_server(self) -> None:
        self.apis[0].kill()

    def bring_back_the_server(self) -> None:
        self._start(self.apis[0])

    def lose_the_pooler(self) -> None:
        """It is started again at once, as a supervisor does."""
        self.pooler.kill()
        self.pooler.start()

    def lose_the_primary(self) -> None:
        self.primary.kill()

    def lead_to_the_standby(self) -> None:
        """As the change of a DNS entry, or of a floating address. It can only be read from yet."""
        address = urlsplit(self.standby_url)
        self.primary.proxy.target = (address.hostname or '', address.port or 0)
        self.primary.proxy.cut()

    def promote(self) -> None:
        with closing(connect(self.standby_url)) as standby:
            assert select_one(standby, 'SELECT pg_promote(true, 60)')
        self.writer_url = self.standby_url

    def roll(self) -> None:
        """One server after the other stops, as it is told to, and starts again."""
        for api in self.apis:
            api.terminate()
            assert api.wait() == 0
            self._start(api)

    def _start(self, api: ServedApi) -> None:
        api.start()
        wait_until(lambda: self.traefik.server_status().get(api.url) == 'UP', 'Traefik sends it requests')


@contextmanager
def new_world(folder: Path) -> Iterator[World]:
    with ExitStack() as stack:
        for name in ('primary', 'standby', 'pgbouncer', 'traefik', 'images'):
            (folder / name).mkdir()
        primary = stack.enter_context(own_postgres(folder / 'primary', durable=True))
        copy_to(folder / 'standby', primary.direct_url)
        standby_url = stack.enter_context(EmbeddedPostgres(folder / 'standby'))
        _wait_for_standby_at_each_commit(primary.direct_url)
        pooler = stack.enter_context(PgBouncer(folder / 'pgbouncer', primary.url))
        sink = stack.enter_context(SmtpSink())
        environ = {
            **METRICS,
            'ENV': 'production',
            'API_BASE_URL': f'https://{HOST}',
            'DIRECT_DATABASE_URL': primary.url,
            'TRUSTED_PROXIES': '127.0.0.1',
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'WEB_CONCURRENCY': '1',
            'BCRYPT_COST': '10',
            'SMTP_URL': sink.url,
            'IMAGE_FOLDER': str(folder / 'images'),
        }
        apis = []
        for number in range(SERVERS):
            (folder / str(number)).mkdir()
            port = stack.enter_context(reserved_port())
            apis.append(ServedApi(folder / str(number), pooler.url, environ | {'PORT': str(port)}))
            stack.callback(_end, apis[-1])
        migrated = apis[0].run('alembic', 'upgrade', 'head')
        assert migrated.returncode == 0, migrated.stderr
        for api in apis:
            api.start()
        traefik = stack.enter_context(Traefik(folder / 'traefik', [api.url for api in apis]))
        yield World(
            apis=apis,
            traefik=traefik,
            pooler=pooler,
            primary=primary,
            standby_url=standby_url,
            writer_url=primary.direct_url
        )


def _wait_for_standby_at_each_commit(primary_url: str) -> None:
    with closing(connect(primary_url)) as database:
        execute(database, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        execute(database, 'SELECT pg_reload_conf()')
        query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_until(lambda: select_one(database, query) == 1, 'the standby confirms commits')


def _end(api: ServedApi) -> None:
    if api.runs:
        api.kill()
