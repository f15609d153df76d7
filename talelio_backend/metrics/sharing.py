"""The processes of a server count in files, so that any of them can tell the sum.

The library names each process's files after its id, and keeps them for ever, for what a process counted stays
counted when it ends. Workers are replaced again and again, so here the files are named after a place that a
process takes, of which there are never more than processes at the same time; the next one counts on.
"""
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import glob
from itertools import count
from pathlib import Path

from prometheus_client import Metric, values
from prometheus_client.multiprocess import MultiProcessCollector

# By which the library is told the folder, and a worker process too.
FOLDER_VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'

_PREFIX = 'talelio-metrics-'


@contextmanager
def shared_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder for the files, which ends with the process that made it.

    By default it is in memory where there is such a place. What killed servers have left there is removed.
    """
    if parent is None:
        parent = Path('/dev/shm') if os.path.isdir('/dev/shm') else Path(tempfile.gettempdir())
    _remove_left_behind(parent)
    # Under its name only when it is locked, or another server might take it for left behind.
    unlocked = Path(tempfile.mkdtemp(prefix='.new-', dir=parent))
    maker, lock = os.getpid(), _lock(unlocked / 'lock')
    folder = unlocked.rename(parent / (_PREFIX + unlocked.name.removeprefix('.new-')))
    try:
        yield folder
    finally:
        # Also called in processes that were forked from this one.
        if os.getpid() == maker:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def _remove_left_behind(parent: Path) -> None:
    for folder in parent.glob(f'{_PREFIX}*'):
        status = folder.lstat()
        if status.st_uid == os.geteuid() and folder.is_dir() and not folder.is_symlink() and \
                not _is_locked(folder / 'lock'):
            shutil.rmtree(folder, ignore_errors=True)


def take_place(folder: Path) -> None:
    """Have this process count in files of its own from now on: before its metrics are made."""
    place, lock = next((place, lock) for place in count()
                       if (lock := _lock(_lock_of(folder, place))) is not None)
    # It stays open, and so held, as long as the process lives, whatever ends it.
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    for gauges in folder.glob(f'gauge_*_{place}.db'):
        # What the process before had at its end says nothing now.
        gauges.unlink()
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


class SharedValues(MultiProcessCollector):
    """The sums over all processes. A gauge's counts the living ones alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(None, str(folder))  # type: ignore[no-untyped-call]
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [file for file in glob(f'{self._folder}/*.db') if not self._is_of_the_dead(file)]
        return self.merge(files)  # type: ignore[no-untyped-call, no-any-return]

    def _is_of_the_dead(self, file: str) -> bool:
        kind, *_, place = Path(file).stem.split('_')
        return kind == 'gauge' and not _is_locked(_lock_of(self._folder, int(place)))


def processes(folder: Path) -> dict[int, int]:
    """The ids of the processes that live, by their places."""
    found = {}
    for lock in folder.glob('*.lock'):
        if _is_locked(lock):
            found[int(lock.stem)] = int(lock.read_bytes() or 0)
    return found


def _lock_of(folder: Path, place: int) -> Path:
    return folder / f'{place}.lock'


def _lock(file: Path) -> int | None:
    """The descriptor of the locked file; None when another process has it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _is_locked(file: Path) -> bool:
    try:
        with file.open('rb') as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
