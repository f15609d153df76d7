import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import requests

from talelio_backend.settings import PROJECT_FOLDER
from tests.support.documented_api import check_answer
from tests.support.forked_server import ForkedServer
from tests.support.waiting import PATIENCE

SECRET_KEY = 'a key that is for the tests alone: 0123456789'
_CONFIG = 'talelio_backend.gunicorn_config'
# Seconds.
TIMEOUT = PATIENCE

# What runs the server somewhere else than here, such as `.ci/in-image ROOT`. It must become the server, so
# that signals reach it.
_ELSEWHERE = shlex.split(os.environ.get('TEST_SERVER_PREFIX', ''))
_PYTHON = [*_ELSEWHERE, 'python'] if _ELSEWHERE else [sys.executable]
# Whether servers are forked where the imports have been done, as `make test` wants; measurements do without.
_FORKS = bool(os.environ.get('TEST_FORK_SERVERS')) and not _ELSEWHERE
# Tests are not installed elsewhere.
PATIENT_CONFIG = _CONFIG if _ELSEWHERE else 'tests.support.patient_config'


class ServedApi:
    """The API as it is run for real: Gunicorn in a process of its own, on a free port."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        environ: Mapping[str, str] | None = None,
        *,
        config: str | None = None,
        afresh: bool = False,
    ) -> None:
        """`config` names another module of Gunicorn's settings. `afresh` always starts a new interpreter."""
        self._afresh = afresh
        self._config = config or _CONFIG
        self._is_documented = self._config in (_CONFIG, PATIENT_CONFIG)
        self._log_file = folder / 'server.log'
        # Nothing of the developer's own settings may leak in; empty counts as unset and hides .env.
        self.environ = {
            'PATH': os.environ['PATH'],
            # As the image sets them.
            'MALLOC_ARENA_MAX': '1',
            'MALLOC_TRIM_THRESHOLD_': '131072',
            'ENV': 'testing',
            'HOST': '127.0.0.1',
            'PORT': '0',
            'API_BASE_URL': 'http://api.test',
            'DATABASE_URL': database_url,
            'SECRET_KEY': SECRET_KEY,
            'WHITELISTED_EMAILS': 'maker@example.com, other@example.com, third@example.com',
            'CORS_ORIGINS': 'http://localhost:3000, https://www.example.com',
            'SMTP_URL': '',
            'EMAIL_SENDER': 'Maker <noreply@api.test>',
            'WEB_CONCURRENCY': '2',
            'LOG_LEVEL': 'INFO',
            'BCRYPT_COST': '4',
            'S3_BUCKET': '',
            'IMAGE_FOLDER': str(folder / 'images'),
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | ForkedServer | None = None
        self.url = ''

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *, wait_for: str = '/health/ready') -> None:
        """Start the server and wait until it answers 200 at `wait_for`."""
        with self._log_file.open('ab') as log:
            began = log.tell()
            self._process = self._start_process(log)
        deadline = time.monotonic() + PATIENCE
        while not self._answers(wait_for, began):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(self.log())
            # The server is polled, not waited out.
            time.sleep(0.02)

    def _start_process(self, log: IO[bytes]) -> 'subprocess.Popen[bytes] | ForkedServer':
        if _FORKS and not self._afresh:
            return ForkedServer(self.environ, self._config, self._log_file)
        return subprocess.Popen(
            [*_PYTHON, '-m', 'gunicorn', '--config', f'python:{self._config}'],
            cwd=PROJECT_FOLDER,
            env=self.environ,
            stdout=log,
            stderr=log,
            # A process group of its own, so that `kill` reaches the workers too.
            start_new_session=True,
        )

    def _answers(self, path: str, began: int) -> bool:
        listening = re.search(r'Listening at: (http://[\d.]+:\d+)', self.log()[began:])
        if listening is None:
            return False
        self.url = listening.group(1)
        try:
            return self.get(path).status_code == 200
        except requests.ConnectionError:
            return False

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a module's command with the settings of the server, and beside it, if it runs."""
        port = re.search(r':(\d+)$', self.url)
        return subprocess.run([*_PYTHON, '-m', *words],
                              cwd=PROJECT_FOLDER,
                              env=self.environ | ({
                                  'PORT': port[1]
                              } if port else {}),
                              capture_output=True,
                              text=True,
                              timeout=TIMEOUT,
                              check=False)

    def stop(self) -> int:
        """Ask the server to stop and wait for it; return its exit code."""
        if self._process is None:
            return 0
        self.terminate()
        return self.wait()

    def terminate(self) -> None:
        """Ask the server to stop."""
        assert self._process is not None
        self._process.terminate()

    def wait(self) -> int:
        """Wait until the server has stopped; return its exit code."""
        assert self._process is not None
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._process = None
        return code

    def kill(self) -> None:
        """End all the server's processes at once, as a power cut does."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._process = None
        # It would do so itself at its next start at the same address, and here there is none.
        for host, port in re.findall(r'metrics are at http://([\d.]+):(\d+)', self.log()):
            shutil.rmtree(f'/dev/shm/talelio-metrics-{host}-{port}', ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None

    def log(self) -> str:
        return self._log_file.read_text(encoding='utf-8')

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Raises Undocumented when the answer differs from the OpenAPI document."""
        response = requests.request(method, self.url + path, **{'timeout': TIMEOUT} | options)
        if self._is_documented:
            check_answer(response, with_body=not options.get('stream'))
        return response

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request('GET', path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.request('POST', path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.request('PATCH', path, json=json, **options)

    def delete(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.request('DELETE', path, json=json, **options)
