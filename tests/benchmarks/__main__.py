"""Measures the service beside its floors, and prints one table.

`make bench`, or parts of it: python -m tests.benchmarks repeated first --rounds 3 --seconds 1
"""
import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from talelio_backend.settings import VAR_FOLDER
from tests.benchmarks import growth, logins, mixed, profile, reads, starts, token_checks, uploads, writes
from tests.benchmarks.results import Row
from tests.benchmarks.rig import Pace, Rig, make_rig
from tests.benchmarks.table import as_json, as_markdown, as_text

GROUPS: dict[str, Callable[[Rig], list[Row]]] = {
    'starts': starts.starts,
    'repeated': reads.repeated,
    'not-modified': reads.not_modified,
    'first': reads.first,
    'tokens': token_checks.token_checks,
    'publishing': writes.publishing,
    'logins': logins.logins,
    'undisturbed': logins.undisturbed,
    'uploads': uploads.uploads,
    'mixed': mixed.mixed,
    'growth': growth.growth,
}
# The others take ten minutes together; this one makes a million projects first.
_ONLY_BY_NAME = 'growth'

# Whether the benchmarks still run, whatever they measure.
SMOKE = Pace(
    rounds=1,
    seconds=0.5,
    mixed_seconds=1.0,
    rest_seconds=0.0,
    clients=3,
    bcrypt_cost=10,
    picture=(640, 480),
    growth=(100, 1000)
)


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    given = _parse(arguments)
    pace = SMOKE if given.smoke else replace(
        Pace(), rounds=given.rounds, seconds=given.seconds, mixed_seconds=given.mixed_seconds
    )
    began = time.monotonic()
    rows: list[Row] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder, make_rig(pace, Path(folder)) as rig:
        if given.profile:
            profile.record(rig, given.profile)
            return rows
        for group in given.groups:
            print(f'{time.monotonic() - began:4.0f} s  {group}', file=sys.stderr, flush=True)
            try:
                rows += GROUPS[group](rig)
            except Exception:  # pylint: disable=broad-exception-caught
                # What the others take minutes to measure is not to be lost with it.
                traceback.print_exc()
                failed.append(group)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(as_json(rows, asdict(pace)), encoding='utf-8')
    print((as_markdown if given.markdown else as_text)(rows))
    print(f'{pace.rounds} rounds of {pace.seconds:g} s; the same is in {given.json}', file=sys.stderr)
    if failed:
        sys.exit(f'Not measured: {", ".join(failed)}')
    return rows


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks', description=__doc__)
    groups = f'some of: {" ".join(GROUPS)}; by default all but {_ONLY_BY_NAME}'
    parser.add_argument('groups', nargs='*', metavar='group', help=groups)
    parser.add_argument('--rounds', type=int, default=Pace.rounds)
    parser.add_argument('--seconds', type=float, default=Pace.seconds, help='of a case in a round')
    parser.add_argument('--mixed-seconds', type=float, default=Pace.mixed_seconds)
    default = VAR_FOLDER / 'bench' / f'{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json'
    parser.add_argument('--json', type=Path, default=default, help='where the same is written for programs')
    parser.add_argument('--markdown', action='store_true', help='print the tables as Markdown')
    parser.add_argument('--smoke', action='store_true', help='as short as can be')
    parser.add_argument(
        '--profile', type=Path, help='write a flame graph of reading a list there, and no more'
    )
    given = parser.parse_args(arguments)
    unknown = set(given.groups) - set(GROUPS)
    if unknown:
        parser.error(f'no such group: {", ".join(sorted(unknown))}')
    if not given.groups:
        given.groups = [group for group in GROUPS if group != _ONLY_BY_NAME or given.smoke]
    return given


if __name__ == '__main__':
    main()
