"""The service as it is deployed: Traefik before two APIs that share a database and a folder of pictures."""
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.database import copy_of
from tests.support.members import WHITELIST
from tests.support.prometheus import METRICS
from tests.support.served_api import ServedApi
from tests.support.traefik import EAGER_CHECKS, HOST, Traefik

_numbers = count(1)


def new_address() -> str:
    """A loopback address that no test has come from, so that no other's requests count."""
    number = next(_numbers)
    return f'127.1.{number // 250}.{number % 250 + 1}'


@dataclass(frozen=True, kw_only=True)
class Rig:
    apis: tuple[ServedApi, ServedApi]
    traefik: Traefik
    database_url: str

    def api_logs(self) -> str:
        return ''.join(api.log() for api in self.apis)

    def logged(self, request_id: str) -> list[dict[str, Any]]:
        """The lines of requests with this id in the APIs' logs."""
        lines = [json.loads(line) for line in self.api_logs().splitlines() if request_id in line]
        return [line for line in lines if 'remote_address' in line]


@contextmanager
def behind_traefik(folder: Path, template_url: str) -> Iterator[Rig]:
    with ExitStack() as stack:
        url = stack.enter_context(copy_of(template_url))
        environ = {
            **METRICS,
            'API_BASE_URL': f'https://{HOST}',
            'TRUSTED_PROXIES': '127.0.0.1',
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'WEB_CONCURRENCY': '1',
            # A second signal ends it.
            'DRAIN_SECONDS': '600',
            'IMAGE_FOLDER': str(folder / 'images'),
        }
        one, two = (stack.enter_context(_started(folder / name, url, environ)) for name in ('one', 'two'))
        traefik = stack.enter_context(Traefik(folder, [one.url, two.url], changes=EAGER_CHECKS))
        yield Rig(apis=(one, two), traefik=traefik, database_url=url)


@contextmanager
def _started(folder: Path, url: str, environ: dict[str, str]) -> Iterator[ServedApi]:
    folder.mkdir()
    api = ServedApi(folder, url, environ)
    try:
        api.start()
        yield api
    finally:
        # Without the seconds of a drain.
        if api.runs:
            api.kill()
