"""Gunicorn in a process that is forked where its imports have been done, which saves most of a start."""
import atexit
import gc
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gunicorn.app.wsgiapp import run

# pylint: disable=unused-import
import talelio_backend.bootstrap
# pylint: enable=unused-import
from talelio_backend.settings import PROJECT_FOLDER

# What is preloaded can only be said before the first fork, so all forks share this.
FORKS = multiprocessing.get_context('forkserver')
FORKS.set_forkserver_preload([
    '__main__',
    __name__,
    'tests.support.flask_command',
    # What Gunicorn and the service import only once they start. Not `fair_worker`, which makes shared memory
    # on import: each server needs its own.
    'alembic.command',
    'alembic.config',
    'alembic.ddl.postgresql',
    'gunicorn.arbiter',
])


class ForkedServer:
    """As much of `subprocess.Popen` as `ServedApi` needs."""

    def __init__(self, environ: Mapping[str, str], config: str, log_file: Path) -> None:
        self._process = FORKS.Process(target=_become_gunicorn, args=(dict(environ), config, log_file))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired('gunicorn', timeout)
        return code

    def terminate(self) -> None:
        self._process.terminate()


def _become_gunicorn(environ: dict[str, str], config: str, log_file: Path) -> None:
    # What has been imported is no garbage; to look through it takes a tenth of a second.
    gc.freeze()
    # A process group of its own, so that it can be killed together with its workers.
    os.setsid()
    os.chdir(PROJECT_FOLDER)
    os.environ.clear()
    os.environ.update(environ)
    log = os.open(log_file, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    sys.argv = ['gunicorn', '--config', f'python:{config}']
    try:
        run()
    finally:
        # A forked process ends without them.
        atexit._run_exitfuncs()  # pylint: disable=protected-access
