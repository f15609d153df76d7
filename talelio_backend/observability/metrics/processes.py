"""Memory and CPU time of the server's processes, on Linux only."""
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

_PROC = Path('/proc')


class ProcessCollector:
    """Reads /proc for the master process, its workers and their children on each scrape.

    Labels are the role and the worker's place. Process ids would create unlimited time series.
    """

    def __init__(self, workers: Callable[[], Mapping[int, int]]) -> None:
        """`workers` returns the process ids of the workers by place."""
        self._workers = workers

    def collect(self) -> Iterable[Metric]:
        labels = ['process', 'place']
        memory = GaugeMetricFamily(
            'talelio_process_resident_memory_bytes',
            'Resident memory, including shared memory',
            labels=labels
        )
        cpu = CounterMetricFamily('talelio_process_cpu_seconds', 'User and system time', labels=labels)
        threads = GaugeMetricFamily('talelio_process_threads', 'Threads', labels=labels)
        places = {id_: str(place) for place, id_ in self._workers().items()}
        for folder in _PROC.glob('[0-9]*'):
            try:
                # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
                # The name, in parentheses, may contain any character.
                fields = (folder / 'stat').read_bytes().rpartition(b')')[2].split()
                role_and_place = _role_and_place(folder, int(fields[1]), places)
            except OSError:
                # The process has exited.
                continue
            if role_and_place is not None:
                memory.add_metric(role_and_place, int(fields[21]) * os.sysconf('SC_PAGE_SIZE'))
                seconds = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
                cpu.add_metric(role_and_place, seconds)
                threads.add_metric(role_and_place, int(fields[17]))
        yield from (memory, cpu, threads)


def _role_and_place(folder: Path, parent: int, places: Mapping[int, str]) -> tuple[str, str] | None:
    process = int(folder.name)
    if process == os.getppid():
        return 'main', ''
    if process in places:
        return 'worker', places[process]
    if parent not in places:
        return None
    # The module of a SandboxedWorker's function, such as `image_codec`.
    words = (folder / 'cmdline').read_bytes().split(b'\0')
    functions = [word.decode() for word in words if word.startswith(b'talelio_backend.') and b':' in word]
    role = functions[0].partition(':')[0].rpartition('.')[2] if functions else 'other'
    return role, places[parent]
