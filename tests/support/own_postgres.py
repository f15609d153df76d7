from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

from talelio_backend.config import PROJECT_FOLDER
from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres
from tests.support.tcp_proxy import TcpProxy


class OwnPostgres:
    """A PostgreSQL for one test to treat badly, behind a proxy whose port outlives a restart."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder, durable=False)
        # Past the proxy.
        self.direct_url = self._server.acquire()
        address = urlsplit(self.direct_url)
        self.proxy = TcpProxy(address.hostname or '', address.port or 0)

    @property
    def url(self) -> str:
        return make_url(self.direct_url).set(port=self.proxy.port).render_as_string(hide_password=False)

    def start(self) -> None:
        self.direct_url = self._server.acquire()
        address = urlsplit(self.direct_url)
        self.proxy.target = (address.hostname or '', address.port or 0)

    def stop(self) -> None:
        """Ends what it is doing, as a shutdown of its machine would."""
        self._server.release()


@contextmanager
def own_postgres(folder: Path) -> Iterator[OwnPostgres]:
    postgres = OwnPostgres(folder)
    try:
        config = Config(PROJECT_FOLDER / 'alembic.ini')
        config.attributes['database_url'] = postgres.direct_url
        command.upgrade(config, 'head')
        with postgres.proxy:
            yield postgres
    finally:
        postgres.stop()
