"""Whether a connection that waited in the pool still stands: a restart of the database is to cost no request.

SQLAlchemy's `pool_pre_ping` asks the server each time, which is a third of what a small query takes. A server
that ends a connection, or a kernel that finds the peer gone (see the keepalives in `database`), leaves
something to be read on it, and to look for that asks nobody. What has waited longer is asked all the same.
"""
import select
import time

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Seconds; fewer than the keepalives take to find out.
PING_AFTER = 5.0

_SINCE = 'in the pool since'


def check_liveness(engine: Engine) -> None:

    def note(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_SINCE] = time.monotonic()

    def check(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        # A new connection has not been there.
        since = entry.info.get(_SINCE)
        if since is None or time.monotonic() - since < PING_AFTER and not _has_to_be_read(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # Whatever ended this one has ended the others too.
            raise InvalidatePoolError() from error

    event.listen(engine, 'checkin', note)
    event.listen(engine, 'checkout', check)


def _has_to_be_read(connection: DBAPIConnection) -> bool:
    if connection.closed:
        return True
    poller = select.poll()
    # An error or a hang-up is told without being asked for.
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))
