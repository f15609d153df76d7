"""Timeouts and liveness of the pool's connections.

The server's own timeouts do not help when it is frozen, or when a proxy swallows the packets.
"""
import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Seconds; more than statement_timeout, which should fire first.
ANSWER_TIMEOUT = 7
CONNECT_TIMEOUT = 2
# Seconds; less than the keepalives take to detect a dead peer.
PING_AFTER = 5.0

_SINCE = 'checked in at'


class BoundedConnection(extensions.connection):
    """A connection with a timeout, for psycopg2's `connection_factory`."""


def install_wait_callback() -> None:
    """Set psycopg2's wait callback, which is global to the process.

    https://www.psycopg.org/docs/advanced.html#support-for-coroutine-libraries
    """
    extensions.set_wait_callback(_wait)


def _wait(connection: extensions.connection) -> None:
    deadline = None
    if isinstance(connection, BoundedConnection):
        connecting = connection.status == extensions.STATUS_SETUP
        deadline = time.monotonic() + (CONNECT_TIMEOUT if connecting else ANSWER_TIMEOUT)
    while (state := connection.poll()) != extensions.POLL_OK:
        poller = select.poll()
        wanted = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
        poller.register(connection.fileno(), wanted)
        left = None if deadline is None else max(0, deadline - time.monotonic()) * 1000
        if not poller.poll(left):
            # psycopg2 closes the connection on errors of the callback.
            raise psycopg2.OperationalError('the database did not answer in time')


def try_each_host(engine: Engine) -> None:
    """Give CONNECT_TIMEOUT to each of several hosts. libpq would spend it on the first silent one."""
    working: list[tuple[str, str]] = []

    def connect(dialect: Dialect, _entry: object, _arguments: object, parameters: dict[str, Any]) -> Any:
        hosts = zip(parameters['host'].split(','), parameters['port'].split(','), strict=True)
        failures = []
        for host, port in sorted(hosts, key=lambda each: each not in working):
            try:
                found = dialect.connect(**parameters | {'host': host, 'port': port})
            except dialect.loaded_dbapi.OperationalError as error:
                failures.append(error)
            else:
                working[:] = [(host, port)]
                return found
        raise failures[-1]

    event.listen(engine, 'do_connect', connect)


def check_liveness(engine: Engine) -> None:
    """Detect dead connections on checkout, so that no request fails after a restart of the database.

    SQLAlchemy's `pool_pre_ping` costs a round trip on each checkout, a third of the time of a small query. A
    closed connection (by the server, or by the kernel's keepalives, see `engine`) is readable, which costs no
    round trip to find out. Connections that were idle for longer are pinged as well.
    """

    def checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_SINCE] = time.monotonic()

    def checkout(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        since = entry.info.get(_SINCE)
        if since is None or time.monotonic() - since < PING_AFTER and not _is_readable(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The other connections are likely dead, too.
            raise InvalidatePoolError() from error

    event.listen(engine, 'checkin', checkin)
    event.listen(engine, 'checkout', checkout)


def _is_readable(connection: DBAPIConnection) -> bool:
    if connection.closed:
        return True
    poller = select.poll()
    # poll() reports errors and hang-ups in any case.
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))
