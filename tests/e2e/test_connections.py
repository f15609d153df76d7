import os
import signal

from tests.e2e.conftest import Serve
from tests.support.connections import connected
from tests.support.processes import children_of

# More than one worker's share, so that some would be left to the one that hangs.
CLIENTS = 40


def test_a_worker_that_hangs_keeps_no_client_waiting(serve: Serve, postgres_url: str) -> None:
    api = serve(postgres_url, {'WEB_CONCURRENCY': '2'})
    hanging, _ = children_of(api.pid)
    os.kill(hanging, signal.SIGSTOP)
    try:
        with connected(api, CLIENTS):
            pass
    finally:
        os.kill(hanging, signal.SIGCONT)
