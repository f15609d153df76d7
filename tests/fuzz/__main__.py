"""Runs everything that makes its own cases, and tells what it tried: `make fuzz`."""
import os
import re
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass

from talelio_backend.settings import PROJECT_FOLDER
from tests.fuzz.targets import CORPUS, TARGETS

_FOUND = PROJECT_FOLDER / 'var' / 'fuzz'
_ATHERIS = PROJECT_FOLDER / 'var' / 'atheris'


@dataclass(frozen=True, kw_only=True)
class Tally:
    name: str
    # Of requests, steps or texts.
    executions: int
    seconds: float
    failed: bool


def main() -> int:
    parser = ArgumentParser(prog='python -m tests.fuzz', description=__doc__)
    parser.add_argument('--examples', type=int, default=1000, help='of a call or machine (default: 1000)')
    parser.add_argument('--seconds', type=int, default=120, help='of each search (default: 120)')
    parser.add_argument('--only', choices=['requests', 'machines', 'searches'], help='default: all')
    arguments = parser.parse_args()
    tallies = []
    if arguments.only in (None, 'requests'):
        tallies.append(_requests(arguments.examples))
    if arguments.only in (None, 'machines'):
        tallies.append(_machines('machines: use cases', 'tests/unit/fuzz', arguments.examples))
        # A step over HTTP is some ten requests.
        tallies.append(
            _machines('machines: served', 'tests/e2e/test_machines.py', arguments.examples // 20 + 1)
        )
    if arguments.only in (None, 'searches'):
        tallies += [_search(target, arguments.seconds) for target in TARGETS]
    print(f'\n{"":24}{"executions":>12}{"minutes":>9}{"failures":>10}')
    for tally in tallies:
        print(f'{tally.name:24}{tally.executions:12,}{tally.seconds / 60:9.1f}{int(tally.failed):10}')
    return int(any(tally.failed for tally in tallies))


def _requests(examples: int) -> Tally:
    return _pytest('requests', 'tests/e2e/test_fuzzing.py', r'(\d+) generated', examples)


def _machines(name: str, path: str, examples: int) -> Tally:
    return _pytest(name, path, r'(\d+) steps', examples)


def _pytest(name: str, path: str, counted: str, examples: int) -> Tally:
    command = [sys.executable, '-m', 'pytest', '-rP', '-q', path]
    return _run(name, command, counted, os.environ | {'FUZZ_EXAMPLES': str(examples)})


def _search(target: str, seconds: int) -> Tally:
    """What it reached before is where it begins."""
    reached = _FOUND / target
    reached.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, '-W', 'ignore', '-m', 'tests.fuzz.search', target, f'-max_total_time={seconds}',
        f'-artifact_prefix={_FOUND}/{target}-', str(reached), str(CORPUS / target)
    ]  # yapf: disable
    path = os.pathsep.join([str(_ATHERIS), str(PROJECT_FOLDER)])
    return _run(f'search: {target}', command, r'Done (\d+) runs', os.environ | {'PYTHONPATH': path})


def _run(name: str, command: Sequence[str], counted: str, environment: dict[str, str]) -> Tally:
    print(f'{name} …', flush=True)
    began = time.monotonic()
    run = subprocess.run(
        command,
        cwd=PROJECT_FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding='utf-8',
        errors='replace',
        check=False
    )
    executions = sum(int(number) for number in re.findall(counted, run.stdout))
    # What found nothing because it tried nothing has failed too.
    failed = run.returncode != 0 or not executions
    if failed:
        print(run.stdout[-20_000:])
    return Tally(name=name, executions=executions, seconds=time.monotonic() - began, failed=failed)


if __name__ == '__main__':
    sys.exit(main())
