"""Shares metrics between the processes of a server through files, so that any process can report the sum.

prometheus_client names the files after process ids and never deletes them. As workers are replaced, here the
files are named after a place that the master process assigns; a new worker in that place continues its files.
"""
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client import values

# Read by prometheus_client and by worker processes.
FOLDER_VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'

_PREFIX = 'talelio-metrics-'


@contextmanager
def shared_folder(parent: Path | None = None) -> Iterator[Path]:
    """Create a folder for the files, and delete it when its creator exits.

    By default it is in memory if possible. Folders of killed servers are deleted.
    """
    if parent is None:
        parent = Path('/dev/shm') if os.path.isdir('/dev/shm') else Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    creator = os.getpid()
    # Renamed after locking, so that other servers do not consider it abandoned.
    unlocked = Path(tempfile.mkdtemp(prefix='.new-', dir=parent))
    with (unlocked / 'lock').open('wb') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = unlocked.rename(parent / (_PREFIX + unlocked.name.removeprefix('.new-')))
        try:
            yield folder
        finally:
            # Forked processes get here, too.
            if os.getpid() == creator:
                shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f'{_PREFIX}*'):
        status = folder.lstat()
        if status.st_uid == os.geteuid() and folder.is_dir() and not folder.is_symlink() and \
                not _is_locked(folder / 'lock'):
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


def _is_locked(file: Path) -> bool:
    try:
        with file.open('rb') as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
