import json
import logging
from functools import partial

from talelio_backend.app_project.business.domain.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.bulkhead import Bulkhead, BulkheadObserver
from talelio_backend.shared.workers.sandboxed_worker import (
    LimitExceeded,
    SandboxedWorker,
    WorkerBusy,
    WorkerFailed,
)

CPU_SECONDS = 8.0
# How many texts may wait, and for how many seconds.
WAITING = 7
TIMEOUT = 10.0

_logger = logging.getLogger(__name__)

# Over three times what realistic texts of 256 KiB take at most: 2.3 s for a table of numbers, and 35 MB for
# code.
markdown_worker = partial(
    SandboxedWorker,
    'talelio_backend.app_project.data.rendering.markdown_html:render',
    cpu_seconds=CPU_SECONDS,
    memory_bytes=128 * 1024 * 1024,
    wall_seconds=30.0,
)


class SandboxedMarkdownRenderer:

    def __init__(
        self,
        worker: SandboxedWorker,
        *,
        hosts: TrustedHosts = TrustedHosts(),
        waiting: int = WAITING,
        timeout: float = TIMEOUT,
        observer: BulkheadObserver = BulkheadObserver()
    ) -> None:
        self._worker = worker
        self._hosts = hosts.write() + b'\n'
        self._bulkhead = Bulkhead(
            'texts to render', at_once=1, waiting=waiting, timeout=timeout, observer=observer
        )

    def render(self, markdown: str) -> Rendered:
        """See `app_project.business.ports.MarkdownRenderer`.

        Raises TooExpensiveToRender, NotRenderable, or Unavailable if the worker is busy.
        """
        try:
            with self._bulkhead.slot():
                rendered: Rendered = json.loads(self._worker.call(self._hosts + markdown.encode()))
                return rendered
        except LimitExceeded:
            raise TooExpensiveToRender from None
        except WorkerBusy:
            raise Unavailable('The text could not be rendered just now, please try again') from None
        except WorkerFailed as error:
            # The same text would fail again, so the client should not retry.
            _logger.warning('Rendering a text failed: %s', error)
            raise NotRenderable from None
