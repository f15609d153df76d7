import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url

from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from tests.support.database import connect, select_one
from tests.support.migrated_cluster import MigratedCluster, migrate
from tests.support.processes import family_of, parent_of
from tests.support.tcp_proxy import TcpProxy


class OwnPostgres:
    """A PostgreSQL for one test to treat badly, behind a proxy whose port outlives a restart."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._server = EmbeddedPostgres(folder, durable=durable)
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

    @property
    def postmaster(self) -> int:
        """The process that all others descend from."""
        with closing(connect(self.direct_url)) as database:
            return parent_of(select_one(database, 'SELECT pg_backend_pid()'))

    def kill(self) -> None:
        """End all its processes at once, as the kernel does when there is no memory left."""
        for process in list(family_of(self.postmaster)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


@contextmanager
def own_postgres(folder: Path,
                 cluster: MigratedCluster | None = None,
                 *,
                 durable: bool = False) -> Iterator[OwnPostgres]:
    """A copy of `cluster`, or a new one. `durable`: what is committed outlives a power cut, too."""
    if cluster is not None:
        cluster.copy_to(folder)
    postgres = OwnPostgres(folder, durable=durable)
    try:
        if cluster is None:
            migrate(postgres.direct_url)
        with postgres.proxy:
            yield postgres
    finally:
        postgres.stop()
