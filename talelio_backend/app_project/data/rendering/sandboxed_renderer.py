import json
import logging
from dataclasses import dataclass, field
from functools import partial

from talelio_backend.app_project.business.domain.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.bulkhead import Bulkhead
from talelio_backend.shared.workers.sandboxed_worker import (
    LimitExceeded,
    SandboxedWorker,
    WorkerBusy,
    WorkerFailed,
)

CPU_SECONDS = 8.0

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

# One text at a time; others wait up to ten seconds.
text_bulkhead = partial(Bulkhead, 'texts to render', at_once=1, waiting=7, timeout=10.0)


@dataclass(frozen=True)
class SandboxedMarkdownRenderer:
    worker: SandboxedWorker
    hosts: TrustedHosts = TrustedHosts()
    bulkhead: Bulkhead = field(default_factory=text_bulkhead)

    def render(self, markdown: str, account_id: int | None = None) -> Rendered:
        """See `app_project.business.ports.MarkdownRenderer`.

        Raises TooExpensiveToRender, NotRenderable, or Unavailable if the worker is busy.
        """
        try:
            with self.bulkhead.slot(account_id):
                request = b'\n'.join([self.hosts.write(), markdown.encode()])
                rendered: Rendered = json.loads(self.worker.call(request))
                return rendered
        except LimitExceeded:
            raise TooExpensiveToRender from None
        except WorkerBusy:
            raise Unavailable('The text could not be rendered just now, please try again') from None
        except WorkerFailed as error:
            # The same text would fail again, so the client should not retry.
            _logger.warning('Rendering a text failed: %s', error)
            raise NotRenderable from None
