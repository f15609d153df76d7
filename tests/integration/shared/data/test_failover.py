"""The pool after a failover, when an address leads to another server or one of several hosts is gone."""
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data import connections
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.data.schema_version import SchemaVersion
from tests.support.engines import ProbingUnitOfWork, other_engine, scalar
from tests.support.sockets import silent_port
from tests.support.waiting import wait_until


@contextmanager
def read_only(engine: Engine) -> Iterator[None]:
    """New connections find what connections to a standby do, which outlive its promotion elsewhere."""
    name = engine.dialect.identifier_preparer.quote(engine.url.database or '')
    with other_engine(engine, database='postgres') as maintenance:
        scalar(maintenance, f'ALTER DATABASE {name} SET default_transaction_read_only = on')
        try:
            yield
        finally:
            scalar(maintenance, f'ALTER DATABASE {name} RESET default_transaction_read_only')


def test_after_a_failover_one_failed_write_replaces_all_connections_to_a_reader(engine: Engine) -> None:
    with other_engine(engine, pool_size=3) as pooled:
        with read_only(engine), ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(pooled.connect())

        with pytest.raises(Unavailable):
            write(pooled)

        for _ in range(3):
            write(pooled)


def write(engine: Engine) -> None:
    with ProbingUnitOfWork(engine) as uow:
        uow.run('SELECT FROM accounts FOR UPDATE')


def test_no_server_is_ready_while_the_database_is_read_only_and_readiness_finds_the_writer(
    engine: Engine
) -> None:
    with other_engine(engine, pool_size=1) as pooled:
        schema = SchemaVersion(pooled, MIGRATIONS_FOLDER)
        with read_only(engine):
            with pytest.raises(Unavailable, match='read-only'):
                schema.check()
            with pooled.connect():
                pass

        with pytest.raises(Unavailable, match='read-only'):
            schema.check()
        schema.check()


def test_a_writable_host_is_found_behind_a_silent_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_port() as silent:
        hosts = [f'127.0.0.1:{silent}', f'{engine.url.host}:{engine.url.port}']
        url = engine.url.set(query={'host': hosts, 'target_session_attrs': 'read-write'})
        url = url._replace(host=None, port=None)
        several = make_engine(url.render_as_string(hide_password=False), pool_size=1)

        def connects() -> bool:
            with suppress(DBAPIError), several.connect():
                return True
            return False

        try:
            # A busy machine may need longer.
            monkeypatch.setattr(connections, 'CONNECT_TIMEOUT', 0.2)
            wait_until(connects, 'a connection to the second host')
            monkeypatch.undo()
            several.dispose()
            # It is the first one from now on.
            write(several)
        finally:
            several.dispose()
