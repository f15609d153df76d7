"""What texts and pictures take of the bounds that their processes have."""
import resource
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from talelio_backend.app_asset.data.imaging.processor import SandboxedImageProcessor, image_worker
from talelio_backend.app_project.business.domain.errors import TooExpensiveToRender
from talelio_backend.app_project.data.rendering.sandboxed_renderer import (
    CPU_SECONDS,
    SandboxedMarkdownRenderer,
    markdown_worker,
)
from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker
from tests.limits.ratios import median_ratio
from tests.support import pictures
from tests.support.hostile_markdown import ENDLESS, HOSTILE
from tests.support.pictures import saved

KIB = 1024
MIB = KIB * KIB

on_linux = pytest.mark.skipif(sys.platform != 'linux', reason='what a process has is read from /proc')

PROSE = '''## Heading

A paragraph of *some* **length** with `code`, a [link](https://example.com) and a note[^N].

[^N]: The note

- An item
    - [x] A task in it

| a | b |
|---|--:|
| 1 | `c` |

'''
BIG = {
    'text': ''.join(PROSE.replace('N', str(number)) for number in range(1_340)),
    'code': '```python\n' + 'def function(argument):\n    return [argument + 1]  # why\n' * 4_500 + '```\n',
    'table': '| date | a | b |\n|---|---|---|\n' + '| 2024-05-01 | 12.50 | alpha beta |\n' * 7_150,
}


@pytest.mark.parametrize('text', BIG)
def test_a_sensible_text_of_the_greatest_size_takes_less_than_half_of_its_time(text: str) -> None:
    assert 250 * KIB < len(BIG[text].encode()) <= 256 * KIB

    def measure() -> tuple[float, float]:
        before = cpu_of_ended_children()
        worker = markdown_worker()
        try:
            assert len(SandboxedMarkdownRenderer(worker).render(BIG[text])['html']) > len(BIG[text])
        finally:
            worker.close()
        return cpu_of_ended_children() - before, CPU_SECONDS

    assert median_ratio(measure, rounds=3) < 0.5


@pytest.mark.parametrize('name', ENDLESS)
def test_a_hostile_text_takes_longer_than_its_time(name: str) -> None:
    worker = markdown_worker()
    try:
        with pytest.raises(TooExpensiveToRender):
            SandboxedMarkdownRenderer(worker).render(HOSTILE[name](256 * KIB))
    finally:
        worker.close()


@on_linux
def test_the_largest_picture_takes_less_than_four_times_its_pixels_and_leaves_next_to_nothing() -> None:
    """A turned one, whose pixels are there twice while it is turned."""
    image = Image.new('RGB', (5000, 5000))
    content = saved(image, 'JPEG', exif=pictures.exif(6))
    tiny = saved(Image.new('RGB', (8, 8)), 'JPEG')

    def measure(name: str) -> Callable[[], tuple[float, float]]:

        def peak_or_rest() -> tuple[float, float]:
            worker = image_worker()
            try:
                # So that all that a picture of this kind loads is there.
                SandboxedImageProcessor(worker).prepare(BytesIO(tiny))
                before = memory_of(worker, 'VmRSS')
                SandboxedImageProcessor(worker).prepare(BytesIO(content))
                # The process returns memory before it takes the next call.
                SandboxedImageProcessor(worker).prepare(BytesIO(tiny))
                return memory_of(worker, name), 3 * image.width * image.height if name == 'VmHWM' else before
            finally:
                worker.close()

        return peak_or_rest

    assert median_ratio(measure('VmHWM'), rounds=3) < 4
    assert median_ratio(measure('VmRSS'), rounds=3) < 1.5


@on_linux
def test_an_idle_process_keeps_nothing_of_what_it_was_sent() -> None:

    def measure() -> tuple[float, float]:
        worker = SandboxedWorker(
            'tests.support.worker_functions:echo', cpu_seconds=60, memory_bytes=256 * MIB, wall_seconds=600
        )
        try:
            worker.call(b'')
            before = memory_of(worker, 'VmRSS')
            # Twice: malloc keeps large pieces only after it has seen one.
            for _ in range(2):
                worker.call(b'x' * 16 * MIB)
            return memory_of(worker, 'VmRSS') - before, 16 * MIB
        finally:
            worker.close()

    assert median_ratio(measure) < 0.25


def memory_of(worker: SandboxedWorker, name: str) -> int:
    """Bytes of the worker's process, as in proc_pid_status(5)."""
    child = worker._child  # pylint: disable=protected-access
    assert child
    status = Path(f'/proc/{child._process.pid}/status')  # pylint: disable=protected-access
    fields = dict(line.split(':', 1) for line in status.read_text(encoding='ascii').splitlines())
    return int(fields[name].split()[0]) * KIB


def cpu_of_ended_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
