"""Runs a soak, says what came of it and draws it: `make soak`."""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from talelio_backend.settings import PROJECT_FOLDER, VAR_FOLDER
from tests.faults.durability.ledger import Ledger
from tests.faults.report import write_between
from tests.soak.course import Pace, play
from tests.soak.kept import what_is_wrong
from tests.soak.report import document_of, failures, table
from tests.soak.world import new_world

PICTURE = PROJECT_FOLDER / '.github' / 'soak.svg'
# See tests/soak/requirements.txt.
_LIBRARIES = VAR_FOLDER / 'matplotlib'


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--rate', type=float, default=Pace.rate, help='requests a second')
    parser.add_argument('--write', action='store_true', help='put table and picture into .github')
    arguments = parser.parse_args()
    # Whoever ends it early leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    pace = Pace(
        seconds=arguments.minutes * 60,
        rate=arguments.rate,
        flood=max(Pace.flood, round(arguments.minutes * 100)),
    )
    began = time.monotonic()

    def say(what: str) -> None:
        print(f'{time.monotonic() - began:5.0f} s  {what}', file=sys.stderr, flush=True)

    document = run(pace, say)
    file = VAR_FOLDER / 'soak' / f'{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding='utf-8')
    print('\n'.join([*table(document), *failures(document)]))
    print(f'The same is in {file}, and drawn in {draw(file, file.with_suffix(".svg"))}', file=sys.stderr)
    if document['wrong']:
        return 1
    if arguments.write:
        draw(file, PICTURE)
        write_between('soak', table(document))
    return 0


def run(pace: Pace, say: Callable[[str], None]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix='soak-') as folder:
        with new_world(Path(folder), bcrypt_cost=pace.bcrypt_cost) as world:
            ledger = Ledger()
            story = play(world, pace, ledger, say)
            lost, kept = what_is_wrong(world, ledger)
    return document_of(story, pace, lost, kept)


def draw(file: Path, picture: Path) -> Path:
    """In a process that has what it takes to draw."""
    path = os.pathsep.join([str(_LIBRARIES), str(PROJECT_FOLDER)])
    subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'tests.soak.picture',
         str(file), str(picture)],
        cwd=PROJECT_FOLDER,
        env=os.environ | {'PYTHONPATH': path},
        check=True,
    )
    return picture


if __name__ == '__main__':
    sys.exit(main())
