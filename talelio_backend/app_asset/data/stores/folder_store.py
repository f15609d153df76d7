import errno
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.ports import NewFile, StoredFile
from talelio_backend.shared.business.errors import Unavailable

# Files are written here before they are moved to their keys.
INCOMING = '.incoming'

# In seconds. Older drafts belong to a process that was killed.
STALE_AFTER = 3600

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class FolderImageStore:
    """The default store without a bucket. See `app_asset.business.ports.ImageStore`.

    Saves and deletions survive a power failure, and no file is ever visible before it is complete.
    """

    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder = folder
        self._incoming = folder / INCOMING
        self._base_url = base_url.rstrip('/')

    def __str__(self) -> str:
        return f'the folder {self._folder}'

    def save(self, files: Sequence[NewFile]) -> None:
        written: list[tuple[Path, Path]] = []
        with _unavailable():
            try:
                self._make(self._incoming)
                self._remove_stale()
                # Write all drafts before moving any: a full disk leaves nothing behind.
                for file in files:
                    draft = self._incoming / uuid4().hex
                    written.append((draft, self._path(file.key)))
                    _write(draft, file.content)
                self._put_in_place(written[1:])
                self._put_in_place(written[:1])
            finally:
                for draft, _ in written:
                    with suppress(OSError):
                        draft.unlink()

    def delete(self, keys: Sequence[str]) -> None:
        with _unavailable():
            for key in keys:
                path = self._path(key)
                with suppress(FileNotFoundError):
                    path.unlink()
                    _sync(path.parent)

    def exists(self, *keys: str) -> bool:
        return all(self.locate(key) is not None for key in keys)

    def list(self) -> Iterator[StoredFile]:
        with _unavailable():
            for folder, _, names in os.walk(self._folder, onerror=_raise_unless_missing):
                for path in (Path(folder, name) for name in names):
                    key = path.relative_to(self._folder).as_posix()
                    if self.locate(key) is not None:
                        with suppress(FileNotFoundError):
                            state = path.lstat()
                            modified_at = datetime.fromtimestamp(state.st_mtime, UTC)
                            yield StoredFile(key=key, size=state.st_size, modified_at=modified_at)

    def url(self, key: str) -> str:
        return f'{self._base_url}/{key}'

    def locate(self, key: str) -> Path | None:
        """Return the path of a stored file, or None if there is none under the key."""
        if parse_key(key) is None:
            return None
        path = self._folder / key
        with _unavailable(), suppress(FileNotFoundError, NotADirectoryError):
            # Do not follow symbolic links.
            folders = (path.parent.parent, path.parent)
            if all(stat.S_ISDIR(each.lstat().st_mode) for each in folders) and \
                    stat.S_ISREG(path.lstat().st_mode):
                return path
        return None

    def _path(self, key: str) -> Path:
        if parse_key(key) is None:
            raise ValueError(f'{key!r} is not the key of an image')
        return self._folder / key

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(exist_ok=True)
            _sync(folder.parent)

    def _put_in_place(self, written: Sequence[tuple[Path, Path]]) -> None:
        folders = {path.parent for _, path in written}
        for folder in folders:
            self._make(folder)
        for draft, path in written:
            draft.replace(path)
        for folder in folders:
            # Sync the parents, too: another process may just have created them without syncing yet.
            for each in (folder, folder.parent, self._folder):
                _sync(each)

    def _remove_stale(self) -> None:
        latest = time.time() - STALE_AFTER
        for draft in self._incoming.iterdir():
            # A stale draft only wastes space, so failing to remove it must not fail the upload.
            with suppress(OSError):
                if draft.lstat().st_mtime < latest:
                    draft.unlink()


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _write(path: Path, content: bytes) -> None:
    with path.open('xb') as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Make the entries of a folder durable: syncing a file does not sync its name (see fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # The text of the error contains the path: it is logged as the cause, but not sent to the client.
        if error.errno in _DISK_FULL:
            raise Unavailable('There is no room for images just now', retry_after=60) from error
        raise Unavailable('The image storage does not work just now, please try again') from error
