from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests

from tests.support.answers import ok
from tests.support.served_api import TIMEOUT, ServedApi


@contextmanager
def connected(api: ServedApi, clients: int) -> Iterator[None]:
    """Clients that connect and get a response one after the other, and keep their connections open."""
    with ExitStack() as closing:
        for _ in range(clients):
            session = closing.enter_context(requests.Session())
            ok(session.get(f'{api.url}/health/live', timeout=TIMEOUT))
        yield
