"""One page, served from origins of its own."""
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _QuietHandler(SimpleHTTPRequestHandler):

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        pass


@contextmanager
def page_server(folder: Path, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve the folder's files on a free loopback port, for as long as the block lasts; give the port."""
    with ThreadingHTTPServer(('127.0.0.1', 0), partial(_QuietHandler, directory=str(folder))) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        # A browser opens connections that it then does not use.
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
