from collections.abc import Callable, Iterator

import pytest

from talelio_backend.shared.data.bounded_worker import BoundedWorker
from tests.support.waiting import PATIENCE
from tests.support.worker_functions import MakeWorker

MIB = 1024 * 1024


@pytest.fixture
def make_worker() -> Iterator[MakeWorker]:
    made: list[BoundedWorker] = []

    def make(
        function: str,
        *,
        cpu_seconds: float = 60,
        memory_bytes: int = 64 * MIB,
        wall_seconds: float = PATIENCE,
        tell: Callable[[str], None] = lambda event: None
    ) -> BoundedWorker:
        worker = BoundedWorker(
            f'tests.support.worker_functions:{function}',
            cpu_seconds=cpu_seconds,
            memory_bytes=memory_bytes,
            wall_seconds=wall_seconds,
            tell=tell
        )
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
