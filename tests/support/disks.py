import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.missing import skip


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size},mode=777', 'tmpfs',
                              str(folder)],
                             capture_output=True,
                             check=False)
    if mounted.returncode:
        skip('no small disk that can be filled', 'run as root, who may mount one')
    try:
        yield folder
    finally:
        subprocess.run(['umount', '--lazy', str(folder)], check=True)
