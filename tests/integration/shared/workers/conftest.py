from collections.abc import Callable, Iterator

import pytest

from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker
from tests.support.waiting import PATIENCE
from tests.support.worker_functions import MakeWorker

MIB = 1024 * 1024


@pytest.fixture
def make_worker() -> Iterator[MakeWorker]:
    made: list[SandboxedWorker] = []

    def make(
        function: str,
        *,
        cpu_seconds: float = 60,
        memory_bytes: int = 64 * MIB,
        wall_seconds: float = PATIENCE,
        notify: Callable[[str], None] = lambda event: None
    ) -> SandboxedWorker:
        worker = SandboxedWorker(
            f'tests.support.worker_functions:{function}',
            cpu_seconds=cpu_seconds,
            memory_bytes=memory_bytes,
            wall_seconds=wall_seconds,
            notify=notify
        )
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
