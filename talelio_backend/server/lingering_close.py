"""Ends connections without holding up the worker that served them."""
import socket
import threading

from gunicorn import util

# Connections of a process that may linger at the same time. Any more are closed at once, which may cut
# their last answer short.
_AT_ONCE = 64

# Seconds and bytes that a client may take to finish its request, so that it hears the answer that came
# before that: such as 403 to an upload. Browsers do not look for an answer while they send.
_PATIENCE = 10.0
_LARGEST_REST = 128 * 1024 * 1024

_places = threading.BoundedSemaphore(_AT_ONCE)
_close_graceful = util.close_graceful


def close_aside(sock: socket.socket, timeout: float = _PATIENCE, max_drain: int = _LARGEST_REST) -> None:
    """Do in a thread of its own what Gunicorn's `close_graceful` does: wait for the client to close, too.

    Gunicorn has its one thread that takes connections wait, two seconds for each client that keeps its
    end open: a handful of them would stop the service.
    """
    # Whoever lingers gives the place back.
    # pylint: disable-next=consider-using-with
    if not _places.acquire(blocking=False):
        util.close(sock)
        return
    try:
        threading.Thread(target=_linger, args=(sock, timeout, max_drain), daemon=True).start()
    except RuntimeError:
        # No more threads to be had.
        _places.release()
        util.close(sock)


def _linger(sock: socket.socket, timeout: float, max_drain: int) -> None:
    try:
        _close_graceful(sock, timeout, max_drain)
    finally:
        _places.release()
