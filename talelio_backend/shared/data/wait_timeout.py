"""A client-side timeout for the database.

The server's own timeouts do not help when it is frozen, or when a proxy swallows the packets.
"""
import select
import time

import psycopg2
from psycopg2 import extensions

# Seconds; more than statement_timeout, which should fire first.
ANSWER_TIMEOUT = 7
CONNECT_TIMEOUT = 2


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
