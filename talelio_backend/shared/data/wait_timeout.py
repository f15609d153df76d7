"""A bound on how long the client waits for the database.

The server's own timeouts end what it knows to be slow. A server that is stopped, or a proxy that takes
everything and gives nothing back, is silent; without a bound here its caller would wait for ever.
"""
import select
import time

import psycopg2
from psycopg2 import extensions

# Seconds to an answer; more than statement_timeout, so that a server that can speak has the last word.
ANSWER_TIMEOUT = 7
CONNECT_TIMEOUT = 2


class BoundedConnection(extensions.connection):
    """Ends itself when the server stays silent; make it through `connection_factory`."""


def install_wait_callback() -> None:
    """Have psycopg2 ask us how to wait, which it can only for all connections of a process.

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
            # psycopg2 closes the connection for it.
            raise psycopg2.OperationalError('the database did not answer in time')
