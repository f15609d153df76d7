"""Shares metrics between the processes of a server through files, so that any process can report the sum.

prometheus_client names the files after process ids and never deletes them. As workers are replaced, here the
files are named after a place that the master process assigns; a new worker in that place continues its files.
"""
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, values

# Read by prometheus_client and by worker processes.
FOLDER_VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'

# The values are read from the files, so the metrics need no registry of their own process.
counter = partial(Counter, registry=None)
gauge = partial(Gauge, multiprocess_mode='livesum', registry=None)
histogram = partial(Histogram, registry=None)


@contextmanager
def shared_folder(address: tuple[str, int], parent: Path | None = None) -> Iterator[Path]:
    """Create a folder for the files, and delete it when its creator exits.

    By default it is in memory if possible. The creator listens on the address, so an existing folder of that
    name is left from a killed server.
    """
    if parent is None:
        parent = Path('/dev/shm') if os.path.isdir('/dev/shm') else Path(tempfile.gettempdir())
    host, port = address
    folder = parent / f'talelio-metrics-{host}-{port}'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    creator = os.getpid()
    try:
        yield folder
    finally:
        # Forked processes get here, too.
        if os.getpid() == creator:
            shutil.rmtree(folder, ignore_errors=True)


def take_place(folder: Path, place: int) -> None:
    """Use the place's files in this process. Call this before creating metrics."""
    (folder / f'{place}.pid').write_text(str(os.getpid()), encoding='ascii')
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


def leave_place(folder: Path, place: int) -> None:
    """Delete the gauges of an exited process. Its counters remain."""
    for file in (*folder.glob(f'gauge_*_{place}.db'), folder / f'{place}.pid'):
        file.unlink(missing_ok=True)


def processes(folder: Path) -> dict[int, int]:
    """Return the process ids by place."""
    found = {}
    for file in folder.glob('*.pid'):
        # The file is empty while a process starts, and missing after it has exited.
        with suppress(FileNotFoundError):
            found[int(file.stem)] = int(file.read_bytes() or 0)
    return found
