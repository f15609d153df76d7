"""The processes of a server count in files, so that any of them can tell the sum.

The library names each process's files after its id, and keeps them for ever, for what a process counted stays
counted when it ends. Workers are replaced again and again, so here the files are named after a place that the
server's main process gives to each worker; the next worker in that place counts on.
"""
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client import values

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
    maker = os.getpid()
    # Under its name only when it is locked, or another server might take it for left behind.
    unlocked = Path(tempfile.mkdtemp(prefix='.new-', dir=parent))
    with (unlocked / 'lock').open('wb') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = unlocked.rename(parent / (_PREFIX + unlocked.name.removeprefix('.new-')))
        try:
            yield folder
        finally:
            # Also called in processes that were forked from this one.
            if os.getpid() == maker:
                shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(parent: Path) -> None:
    for folder in parent.glob(f'{_PREFIX}*'):
        status = folder.lstat()
        if status.st_uid == os.geteuid() and folder.is_dir() and not folder.is_symlink() and \
                not _is_locked(folder / 'lock'):
            shutil.rmtree(folder, ignore_errors=True)


def take_place(folder: Path, place: int) -> None:
    """Have this process count in files of its own from now on: before its metrics are made."""
    (folder / f'{place}.pid').write_text(str(os.getpid()), encoding='ascii')
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


def leave_place(folder: Path, place: int) -> None:
    """Forget what the process there had at its end, whatever ended it. What it counted stays."""
    for file in (*folder.glob(f'gauge_*_{place}.db'), folder / f'{place}.pid'):
        file.unlink(missing_ok=True)


def processes(folder: Path) -> dict[int, int]:
    """The ids of the processes by their places."""
    found = {}
    for file in folder.glob('*.pid'):
        # One that comes just now has an empty file, one that goes has none.
        with suppress(FileNotFoundError):
            found[int(file.stem)] = int(file.read_bytes() or 0)
    return found


def _is_locked(file: Path) -> bool:
    try:
        with file.open('rb') as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
