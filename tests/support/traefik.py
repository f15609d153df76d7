"""The real Traefik on the very files that production uses."""
import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomli_w
import trustme

from talelio_backend.settings import PROJECT_FOLDER
from tests.support.traefik_client import Proxied
from tests.support.waiting import PATIENCE, wait_until

TRAEFIK_FOLDER = PROJECT_FOLDER / 'traefik'
HOST = 'api.test'

# Notices at once which API is ready, and never takes a slow one for one that is not.
EAGER_CHECKS = {
    'interval = "2s"': 'interval = "200ms"',
    'unhealthyInterval = "1s"': 'unhealthyInterval = "200ms"',
    'timeout = "1s"': 'timeout = "60s"',
    'timeout = "4s"': 'timeout = "60s"',
}

_ATTEMPTS = 5


def static_configuration() -> dict[str, Any]:
    """As the box has it, which is no ECS cluster."""
    static = tomllib.loads((TRAEFIK_FOLDER / 'traefik.toml').read_text(encoding='utf-8'))
    del static['providers']['ecs']
    return static


class Traefik:
    """Traefik in a process of its own, on free ports, before the APIs at the given addresses.

    `read_timeout` replaces the minutes that a request may take to arrive; `changes` replaces texts of the
    dynamic files; `http` adds routers and services to them.
    """

    def __init__(
        self,
        folder: Path,
        api_urls: Sequence[str],
        *,
        read_timeout: str | None = None,
        changes: Mapping[str, str] | None = None,
        http: Mapping[str, Any] | None = None
    ) -> None:
        self._folder = folder
        self._api_urls = api_urls
        self._read_timeout = read_timeout
        self._changes = changes or {}
        self._http = http
        self._log_file = folder / 'traefik.log'
        self._static_file = folder / 'traefik.toml'
        self._process: subprocess.Popen[bytes] | None = None
        self.authority = trustme.CA()
        self.ports: Mapping[str, int] = {}
        # Of the bodies that it buffers.
        self.temporary_folder = folder / 'tmp'

    def __enter__(self) -> Self:
        self.temporary_folder.mkdir()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Also after it was killed; its ports are others then."""
        if not any(self._start() for _ in range(_ATTEMPTS)):
            raise AssertionError(self.log())

    def client(self, *, source: str = '127.0.0.1', **options: Any) -> Proxied:
        """Whoever comes by HTTPS, from a loopback address of one's choice."""
        return Proxied(self.ports['websecure'], self.authority, source=source, **options)

    def _write_dynamic_files(self) -> None:
        dynamic = self._folder / 'dynamic'
        dynamic.mkdir(exist_ok=True)
        texts = {
            name: (TRAEFIK_FOLDER / name).read_text(encoding='utf-8')
            for name in ('traefik_dynamic.toml', 'routes.toml')
        }
        for old, new in {**self._changes, '127.0.0.1:8081': f'127.0.0.1:{self.ports["internal"]}'}.items():
            assert any(old in text for text in texts.values()), old
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        for name, text in texts.items():
            (dynamic / name).write_text(text, encoding='utf-8')
        certificate = self.authority.issue_cert(HOST)
        chain, key = self._folder / 'chain.pem', self._folder / 'key.pem'
        chain.write_bytes(b''.join(part.bytes() for part in certificate.cert_chain_pems))
        key.write_bytes(certificate.private_key_pem.bytes())
        tests: dict[str, Any] = {'tls': {'certificates': [{'certFile': str(chain), 'keyFile': str(key)}]}}
        if self._http is not None:
            tests['http'] = self._http
        (dynamic / 'tests.toml').write_text(tomli_w.dumps(tests), encoding='utf-8')

    def _static(self) -> dict[str, Any]:
        """Production's but for ports, paths and the certificate authority, which is nobody here."""
        static = static_configuration()
        for name, port in self.ports.items():
            host = static['entryPoints'][name]['address'].rpartition(':')[0] or '127.0.0.1'
            static['entryPoints'][name]['address'] = f'{host}:{port}'
        static['providers']['file']['directory'] = str(self._folder / 'dynamic')
        acme = static['certificatesResolvers']['letsencrypt']['acme']
        acme |= {'storage': str(self._folder / 'acme.json'), 'caServer': 'https://127.0.0.1:9/directory'}
        if self._read_timeout is not None:
            timeouts = static['entryPoints']['websecure']['transport']['respondingTimeouts']
            timeouts['readTimeout'] = self._read_timeout
        return static

    def _start(self) -> bool:
        """Return False when another program was quicker to take one of the ports."""
        self.ports = free_ports('web', 'websecure', 'traefik', 'internal')
        self._static_file.write_text(tomli_w.dumps(self._static()), encoding='utf-8')
        self._write_dynamic_files()
        with self._log_file.open('wb') as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.command,
                env={
                    'PATH': os.environ['PATH'],
                    'API_HOST': HOST,
                    'API_URLS': ', '.join(self._api_urls),
                    'TMPDIR': str(self.temporary_folder),
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        process = self._process
        wait_until(lambda: process.poll() is not None or self._routes(), 'Traefik routes')
        if process.poll() is None:
            return True
        self._process = None
        assert 'address already in use' in self.log(), self.log()
        return False

    def _routes(self) -> bool:
        with suppress(OSError), self.client() as client:
            return client.get('/health/ready').status_code == 200
        return False

    @property
    def command(self) -> list[str]:
        return [str(Path(sys.executable).with_name('traefik')), f'--configFile={self._static_file}']

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def terminate(self) -> None:
        assert self._process is not None
        self._process.terminate()

    def wait(self) -> int:
        assert self._process is not None
        code = self._process.wait(PATIENCE)
        self._process = None
        return code

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def buffer_files(self) -> list[str]:
        """Those of bodies. They have no name any more, so none is left behind."""
        files = []
        for file in Path(f'/proc/{self.pid}/fd').iterdir():
            # It may be closed by now.
            with suppress(FileNotFoundError):
                files.append(os.readlink(file))
        return [file for file in files if file.startswith(str(self.temporary_folder))]

    def server_status(self, service: str = 'api-ready') -> dict[str, str]:
        """UP or DOWN, by the URL of the API; of `api-live`, which is asked where none is ready, too."""
        with closing(HTTPConnection('127.0.0.1', self.ports['traefik'], timeout=PATIENCE)) as dashboard:
            dashboard.request('GET', f'/api/http/services/{service}@file')
            response: dict[str, dict[str, str]] = json.loads(dashboard.getresponse().read())
        return response['serverStatus']

    def log(self) -> str:
        return self._log_file.read_text(encoding='utf-8')

    def access_lines(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith('{')]
        return [line for line in lines if 'DownstreamStatus' in line]


def free_ports(*names: str) -> dict[str, int]:
    with ExitStack() as sockets:
        taken = {name: sockets.enter_context(socket.socket()) for name in names}
        for listener in taken.values():
            listener.bind(('127.0.0.1', 0))
        return {name: int(listener.getsockname()[1]) for name, listener in taken.items()}
