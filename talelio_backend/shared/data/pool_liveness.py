"""Detects dead connections on checkout, so that no request fails after a restart of the database.

SQLAlchemy's `pool_pre_ping` costs a round trip on each checkout, a third of the time of a small query. A
closed connection (by the server, or by the kernel's keepalives, see `engine`) is readable, which costs no
round trip to find out. Connections that were idle for longer are pinged as well.
"""
import select
import time

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Seconds; less than the keepalives take to detect a dead peer.
PING_AFTER = 5.0

_SINCE = 'checked in at'


def check_liveness(engine: Engine) -> None:

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
