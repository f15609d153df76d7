"""Processes that count in one folder, and end in every way."""
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from talelio_backend.observability.metrics.sharing import leave_place, processes, shared_folder
from talelio_backend.settings import PROJECT_FOLDER

ADDRESS = ('127.0.0.1', 9100)

# A process that counts a request for each line that it is given, and says so.
_COUNTING = '''
import sys
from pathlib import Path
from prometheus_client import Counter, Gauge
from talelio_backend.observability.metrics.sharing import take_place
take_place(Path(sys.argv[1]), int(sys.argv[2]))
counted = Counter('counted', 'Lines', registry=None)
open_ = Gauge('open', 'Lines', multiprocess_mode='livesum', registry=None)
for line in sys.stdin:
    counted.inc()
    open_.inc()
    print('counted', flush=True)
'''


class Counting:
    """A process of its own that counts when it is told to."""

    def __init__(self, folder: Path, place: int) -> None:
        self._folder, self._place = folder, place
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, '-c', _COUNTING, str(folder), str(place)],
            cwd=PROJECT_FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def count(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        assert self._process.stdout.readline() == 'counted\n'

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
        # As the server's main process does.
        leave_place(self._folder, self._place)


class Server:

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self.folder = folder
        self._ends = ends

    def start(self, place: int) -> Counting:
        process = Counting(self.folder, place)
        self._ends.callback(process.kill)
        process.count()
        return process

    def told(self) -> dict[str, float]:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self.folder))  # type: ignore[no-untyped-call]
        lines = generate_latest(registry).decode().splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines if line[0] != '#')}


@pytest.fixture(name='server')
def _server(tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as ends:
        yield Server(ends.enter_context(shared_folder(ADDRESS, tmp_path)), ends)


def test_what_processes_count_is_added_up(server: Server) -> None:
    one, other = server.start(0), server.start(1)
    one.count()
    other.count()
    other.count()

    assert server.told() == {'counted_total': 5, 'open': 5}
    assert processes(server.folder) == {0: one.pid, 1: other.pid}


def test_what_a_killed_process_counted_stays_and_what_it_had_at_its_end_is_gone(server: Server) -> None:
    one, other = server.start(0), server.start(1)
    one.kill()

    assert server.told() == {'counted_total': 2, 'open': 1}
    assert processes(server.folder) == {1: other.pid}


def test_a_process_in_the_place_of_another_counts_on(server: Server) -> None:
    server.start(0).kill()
    server.start(0)

    assert server.told() == {'counted_total': 2, 'open': 1}
    assert len(list(server.folder.glob('counter_*.db'))) == 1


def test_a_folder_ends_with_its_server(tmp_path: Path) -> None:
    with shared_folder(ADDRESS, tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.iterdir())


def test_what_a_killed_server_left_behind_is_removed_by_the_next_and_others_keep_their_own(
    tmp_path: Path
) -> None:
    left = _folder_of_a_killed_server(tmp_path)
    (left / 'counter_0.db').touch()

    with shared_folder(('::1', 9101), tmp_path) as other, shared_folder(ADDRESS, tmp_path) as folder:
        assert set(tmp_path.iterdir()) == {other, folder} == {other, left}
        assert not list(folder.iterdir())


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'elsewhere' / 'file').touch()
    with shared_folder(ADDRESS, tmp_path) as folder:
        pass
    folder.symlink_to(tmp_path / 'elsewhere')

    with pytest.raises(FileExistsError), shared_folder(ADDRESS, tmp_path):
        pass
    assert (tmp_path / 'elsewhere' / 'file').exists()


def _folder_of_a_killed_server(parent: Path) -> Path:
    code = (
        'import os, signal, sys; from pathlib import Path;'
        'from talelio_backend.observability.metrics.sharing import shared_folder\n'
        f'with shared_folder({ADDRESS}, Path(sys.argv[1])) as folder:\n'
        '    print(folder, flush=True)\n'
        f'    os.kill(os.getpid(), {int(signal.SIGKILL)})\n'
    )
    killed = subprocess.run([sys.executable, '-c', code, os.fspath(parent)],
                            cwd=PROJECT_FOLDER,
                            capture_output=True,
                            text=True,
                            check=False)
    assert killed.returncode == -signal.SIGKILL
    return Path(killed.stdout.strip())
