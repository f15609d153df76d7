"""Closes connections without blocking the worker's main thread."""
import socket
import threading

from gunicorn import util

# Connections per process that may linger at the same time. Others are closed at once, which may truncate the
# response.
_AT_ONCE = 64

# Seconds and bytes for a client to finish sending its request, so that it reads an early response, such as a
# 403 to an upload. Browsers do not read while they send.
_TIMEOUT = 10.0
_MAX_DRAIN = 128 * 1024 * 1024

_places = threading.BoundedSemaphore(_AT_ONCE)
_close_graceful = util.close_graceful


def close_aside(sock: socket.socket, timeout: float = _TIMEOUT, max_drain: int = _MAX_DRAIN) -> None:
    """Run Gunicorn's `close_graceful` in a separate thread.

    Gunicorn runs it in the thread that accepts connections, where each client that keeps its end open blocks
    for two seconds.
    """
    # `_linger` releases it.
    # pylint: disable-next=consider-using-with
    if not _places.acquire(blocking=False):
        util.close(sock)
        return
    try:
        threading.Thread(target=_linger, args=(sock, timeout, max_drain), daemon=True).start()
    except RuntimeError:
        # Cannot start a thread.
        _places.release()
        util.close(sock)


def _linger(sock: socket.socket, timeout: float, max_drain: int) -> None:
    try:
        _close_graceful(sock, timeout, max_drain)
    finally:
        _places.release()
