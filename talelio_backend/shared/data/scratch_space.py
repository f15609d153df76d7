import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from talelio_backend.shared.business.checkup import Finding, fail, ok

_MEMORY = Path('/dev/shm')
_SIZE = 64 * 1024  # bytes


def check_temporary_folder() -> Iterator[Finding]:
    name = 'temporary files'
    try:
        # It tries several folders, and raises where none of them can be written to.
        folder = Path(tempfile.gettempdir())
        _try_to_write(folder)
    except OSError as error:
        yield fail(
            name, f'nowhere to write them: {error.strerror}',
            'Mount a tmpfs at /tmp, or let TMPDIR name a folder with room that this user may write to'
        )
    else:
        yield ok(name, f'{folder} can be written to')


def check_shared_memory(folder: Path = _MEMORY) -> Iterator[Finding]:
    """The server's workers keep their signs of life there."""
    name = 'shared memory'
    if not folder.is_dir():
        yield ok(name, f'there is no {folder}: temporary files are used instead')
        return
    try:
        _try_to_write(folder)
    except OSError as error:
        yield fail(
            name, f'{folder} cannot be written to: {error.strerror}',
            f'Mount a tmpfs of some MB at {folder} that user {os.geteuid()} may write to'
        )
    else:
        yield ok(name, f'{folder} can be written to')


def _try_to_write(folder: Path) -> None:
    content = secrets.token_bytes(_SIZE)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(content)
        file.flush()
        if Path(file.name).read_bytes() != content:
            raise OSError(0, 'what was read is not what was written')
