"""Gunicorn's settings, for development and production.

https://gunicorn.org/reference/settings/
"""
# pylint: disable=invalid-name
import atexit
import gc
import json
import logging
import mmap
import os
import sys
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from socket import socket
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import message
from gunicorn.workers import gthread

from talelio_backend.observability.batching_handler import BatchingHandler
from talelio_backend.observability.log_format import logging_config
from talelio_backend.observability.metrics.exposition import open_listener, serve
from talelio_backend.observability.metrics.sharing import (
    FOLDER_VARIABLE,
    leave_place,
    shared_folder,
    take_place,
)
from talelio_backend.server.drain import Drain
from talelio_backend.server.fair_worker import FairWorker
from talelio_backend.server.lingering_close import close_aside
from talelio_backend.server.slow_clients import Connection
from talelio_backend.settings import POSTGRES_FOLDER, PROJECT_FOLDER, ConfigurationError, Env, Settings
from talelio_backend.settings.database import open_database
from talelio_backend.settings.folders import MAIL_FOLDER
from talelio_backend.settings.server import THREADS
from talelio_backend.settings.settings import DEVELOPMENT_EMAIL

try:
    _settings = Settings.from_env()
except ConfigurationError as error:
    sys.exit(str(error))
_resources = ExitStack()
_logger = logging.getLogger(__name__)
_drain = Drain(_settings.drain_seconds)
_metrics: socket | None = None
# Memory shared by all workers, in which writers mark changes of public data.
_public_changes = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast('Q')
_LONGEST_LINE = 16384  # bytes
# Gunicorn may exit without calling hooks, for example if the port is in use.
atexit.register(_resources.close)


class _WithoutAccessLog(Logger):
    """Skips the access log, which the service writes itself."""

    def access(self, *_args: Any) -> None:
        pass


wsgi_app = 'talelio_backend.wsgi:app'
bind = f'{_settings.host}:{_settings.port}'
workers = _settings.web_concurrency
worker_class = FairWorker
threads = THREADS
reload = _settings.env is Env.DEVELOPMENT
control_socket_disable = True
# The heartbeat files: in memory, so that a slow disk does not make a worker appear hung.
worker_tmp_dir = '/dev/shm' if os.path.isdir('/dev/shm') else None
# Large enough for tokens in headers and paths, which the service validates itself.
limit_request_field_size = _LONGEST_LINE
limit_request_line = _LONGEST_LINE
graceful_timeout = 30
# Limits memory leaks. A single worker is not replaced, since nobody would serve meanwhile.
max_requests = _settings.max_requests if workers > 1 else 0
# Prevents all workers from being replaced at once.
max_requests_jitter = max_requests // 5
# For X-Forwarded-Proto. For X-Forwarded-For see shared.presentation.requests.client.
forwarded_allow_ips = ','.join(str(proxy) for proxy in _settings.trusted_proxies)
keepalive = _settings.keep_alive
logconfig_dict = logging_config(_settings)
logger_class = _WithoutAccessLog


def on_starting(_server: Any) -> None:
    """Outside production, start and migrate the database."""
    os.environ['DATABASE_URL'] = _resources.enter_context(open_database(_settings))
    if _settings.metrics_address is not None:
        _listen_for_prometheus(*_settings.metrics_address)
    if _settings.env is not Env.PRODUCTION:
        _migrate(os.environ['DATABASE_URL'])
    if not reload:
        _import_for_all_workers()


def _import_for_all_workers() -> None:
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.bootstrap import map_entities
    map_entities()
    # Workers share this memory until they write to it, as garbage collection would. Collect now: freeing
    # garbage in the workers would write, too.
    gc.collect()
    gc.freeze()


def _listen_for_prometheus(host: str, port: int) -> None:
    """Listen before the fork, so that any worker can respond."""
    global _metrics  # pylint: disable=global-statement
    try:
        _metrics = _resources.enter_context(open_listener(host, port))
    except OSError as error:
        sys.exit(f'Cannot listen on METRICS_ADDRESS: {error.strerror}')
    address = _metrics.getsockname()[:2]
    os.environ[FOLDER_VARIABLE] = str(_resources.enter_context(shared_folder(address)))
    _logger.info('metrics are at http://%s:%s/metrics', *address)


def _migrate(database_url: str) -> None:
    # In production, a separate command migrates.
    # pylint: disable=import-outside-toplevel
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import OperationalError
    config = Config(PROJECT_FOLDER / 'alembic.ini')
    config.attributes |= {'database_url': database_url, 'direct_database_url': _settings.direct_database_url}
    try:
        command.upgrade(config, 'head')
    except OperationalError:
        sys.exit('Cannot connect to the database that DATABASE_URL names')


def when_ready(server: Any) -> None:
    _drain.attach(server)
    if _settings.env is Env.DEVELOPMENT:
        print(_banner(), flush=True)


def _banner() -> str:
    address = _settings.api_base_url
    mail = f'{_settings.smtp_server.host}:{_settings.smtp_server.port}' \
        if _settings.smtp_server else f'{_shown(MAIL_FOLDER)}/*.eml, its links are printed here'
    data = 'in DATABASE_URL' if _settings.database_url else _shown(POSTGRES_FOLDER)
    email = min(_settings.whitelisted_emails, default=DEVELOPMENT_EMAIL)
    return f'''
  The API is at   {address}/v1   (stop it with Ctrl-C)
  Mail goes to    {mail}
  The data is in  {data}

  Try it:
    curl -X POST {address}/v1/accounts/register -H 'Content-Type: application/json' \\
      -d '{{"email": "{email}", "password": "correct horse battery", "username": "maker"}}'
'''


def _shown(path: Path) -> str:
    return str(path.relative_to(PROJECT_FOLDER)) if path.is_relative_to(PROJECT_FOLDER) else str(path)


def post_fork(_server: Any, worker: FairWorker) -> None:
    if _metrics is not None:
        take_place(Path(os.environ[FOLDER_VARIABLE]), worker.place)
    if reload:
        # Reload what the master has imported for the migration.
        for name in [name for name in sys.modules if name.startswith('talelio_backend')]:
            del sys.modules[name]


def pre_request(_worker: Any, request: Any) -> None:
    # A client that stops sending or receiving must not block a thread.
    request.unreader.sock.settimeout(_settings.client_timeout)
    request.unreader.begin_body()


def post_worker_init(_worker: Any) -> None:
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.wsgi import backend
    backend.readiness.require(_drain.check)
    backend.public.share(_public_changes)
    for thread in backend.threads:
        thread.start()
    if _settings.env is Env.PRODUCTION:
        for handler in logging.getLogger('talelio_backend').handlers:
            if isinstance(handler, BatchingHandler):
                handler.start()
    if _metrics is not None and backend.metrics is not None:
        serve(_metrics, backend.metrics)


def child_exit(_server: Any, worker: FairWorker) -> None:
    worker.leave()
    if _metrics is not None:
        leave_place(Path(os.environ[FOLDER_VARIABLE]), worker.place)


def on_exit(_server: Any) -> None:
    _resources.close()


def _write_error(sock: socket, status_int: int, reason: str, mesg: str) -> None:
    """Send Gunicorn's own errors in the contract's envelope."""
    # It imports Flask, which the master process does without.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.shared.presentation.errors.problem_details import (
        Problem,
        code_of_status,
        reason_phrase,
    )
    del reason  # Wrong for some statuses.
    status = HTTPStatus(status_int)
    phrase = reason_phrase(status)
    message_ = mesg or status.description or phrase
    problem = Problem(status=status, message=message_, code=code_of_status(status))
    content = json.dumps(problem.envelope).encode()
    head = (
        f'HTTP/1.1 {status.value} {phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n'
        'Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n'
        f'Content-Length: {len(content)}\r\n\r\n'
    )
    util.write_nonblock(sock, head.encode('latin-1') + content)


# Gunicorn has no setting for these.
util.write_error = _write_error
util.close_graceful = close_aside
gthread.TConn = Connection  # type: ignore[misc]
message.MAX_REQUEST_LINE = _LONGEST_LINE  # type: ignore[misc]
