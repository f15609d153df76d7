"""Memory and CPU time of the server's processes, on Linux only."""
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

_PROC = Path('/proc')


@dataclass(frozen=True, kw_only=True)
class _Process:
    parent: int
    cpu_seconds: float
    threads: int
    resident_bytes: int


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
        for name, place, process in self._processes():
            memory.add_metric([name, place], process.resident_bytes)
            cpu.add_metric([name, place], process.cpu_seconds)
            threads.add_metric([name, place], process.threads)
        yield from (memory, cpu, threads)

    def _processes(self) -> Iterable[tuple[str, str, _Process]]:
        processes = _all_processes()
        places = {id_: str(place) for place, id_ in self._workers().items()}
        main = os.getppid()
        for id_, process in processes.items():
            if id_ == main:
                yield 'main', '', process
            elif id_ in places:
                yield 'worker', places[id_], process
            elif process.parent in places:
                yield _name_of_child(id_), places[process.parent], process


def _all_processes() -> dict[int, _Process]:
    found = {}
    for folder in _PROC.glob('[0-9]*'):
        try:
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
            # The name, in parentheses, may contain any character.
            fields = (folder / 'stat').read_bytes().rpartition(b')')[2].split()
        except OSError:
            # The process has exited.
            continue
        found[int(folder.name)] = _Process(
            parent=int(fields[1]),
            cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK'),
            threads=int(fields[17]),
            resident_bytes=int(fields[21]) * os.sysconf('SC_PAGE_SIZE'),
        )
    return found


def _name_of_child(id_: int) -> str:
    """Return the module of a SandboxedWorker's function, such as `image_codec`."""
    try:
        words = (_PROC / str(id_) / 'cmdline').read_bytes().split(b'\0')
    except OSError:
        return 'other'
    functions = [word.decode() for word in words if word.startswith(b'talelio_backend.') and b':' in word]
    return functions[0].partition(':')[0].rpartition('.')[2] if functions else 'other'
