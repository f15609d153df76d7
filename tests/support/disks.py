import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size},mode=777', 'tmpfs',
                              str(folder)],
                             capture_output=True,
                             check=False)
    if mounted.returncode:
        pytest.skip('NOT TESTED: only root can mount the small disk that is to be full')
    try:
        yield folder
    finally:
        subprocess.run(['umount', '--lazy', str(folder)], check=True)
