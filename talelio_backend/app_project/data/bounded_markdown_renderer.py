import json
import logging
from collections.abc import Callable

from talelio_backend.app_project.business.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.rendered import Rendered
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.bounded_worker import BoundedWorker, LimitExceeded, WorkerBusy, WorkerFailed
from talelio_backend.shared.data.turns import NoObserver, Turns, TurnsObserver

# Over three times what the most demanding sensible texts of 256 KiB were measured to take, which is
# 2.3 s for a table of numbers, and 35 MB for code.
CPU_SECONDS = 8.0
MEMORY_BYTES = 128 * 1024 * 1024
WALL_SECONDS = 30.0
# How many texts may wait while one is rendered, and for how many seconds.
WAITING = 7
PATIENCE = 10.0

_logger = logging.getLogger(__name__)


def markdown_worker(
    *,
    cpu_seconds: float = CPU_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
    wall_seconds: float = WALL_SECONDS,
    tell: Callable[[str], None] = lambda event: None
) -> BoundedWorker:
    return BoundedWorker(
        'talelio_backend.app_project.data.markdown_html:render',
        cpu_seconds=cpu_seconds,
        memory_bytes=memory_bytes,
        wall_seconds=wall_seconds,
        tell=tell
    )


class BoundedMarkdownRenderer:

    def __init__(
        self,
        worker: BoundedWorker,
        *,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        observer: TurnsObserver = NoObserver()
    ) -> None:
        self._worker = worker
        self._turns = Turns(
            'texts to render', at_once=1, waiting=waiting, patience=patience, observer=observer
        )

    def render(self, markdown: str) -> Rendered:
        """See `app_project.business.ports.MarkdownRenderer`.

        Raises TooExpensiveToRender, NotRenderable, or Unavailable when other texts take up the
        worker.
        """
        try:
            with self._turns.turn():
                rendered: Rendered = json.loads(self._worker.call(markdown.encode()))
                return rendered
        except LimitExceeded:
            raise TooExpensiveToRender from None
        except WorkerBusy:
            raise Unavailable('The text could not be rendered just now, please try again') from None
        except WorkerFailed as error:
            # Whatever the fault is, the text that shows it will show it again.
            _logger.warning('Rendering a text failed: %s', error)
            raise NotRenderable from None
