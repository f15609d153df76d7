"""What a process and all that descend from it have used (Linux)."""
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import family_of, stat_of

_TICKS = os.sysconf('SC_CLK_TCK')


def memory_of(pid: int) -> int:
    """The sum of their shares (PSS), in bytes."""
    total = 0
    for each in family_of(pid):
        try:
            total += parse_pss(Path(f'/proc/{each}/smaps_rollup').read_text(encoding='ascii'))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


@contextmanager
def peak_memory(pid: int) -> Iterator[list[int]]:
    """Yield a list whose one number is the peak of all processes together, in bytes, after the block."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], memory_of(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def parse_pss(rollup: str) -> int:
    """Bytes. A process that is just ending has no such line."""
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith('Pss:'))


def processor_time_of(pid: int) -> float:
    """Seconds, of those that run and of their children that have ended."""
    # utime, stime, cutime and cstime, whose numbers begin with two fields before.
    return sum(int(field) for each in family_of(pid) for field in stat_of(each)[11:15]) / _TICKS
