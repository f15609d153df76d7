"""Where the time of a request goes, as a flame graph."""
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks.http_load import get, of_clients
from tests.benchmarks.rig import Rig


def record(rig: Rig, file: Path) -> None:
    """Of reading a list without the cache. Asks for what a debugger may do: root, or ptrace_scope 0."""
    file.parent.mkdir(parents=True, exist_ok=True)
    seconds = max(5, round(rig.pace.seconds))
    request = get(rig.owner.projects_path)
    load = rig.start(rig.uncached.url, partial(of_clients, request, rig.pace.clients), seconds=seconds + 2)
    command = [
        str(Path(sys.executable).with_name('py-spy')), 'record', '--pid',
        str(rig.uncached.pid), '--subprocesses', '--duration',
        str(seconds), '--rate', '200', '--output',
        str(file)
    ]
    try:
        subprocess.run(command, check=True)
    finally:
        load.result()
