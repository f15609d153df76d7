"""Runs all faults, prints the table and writes it into RELIABILITY.md: `make test-faults`.

Arguments are pytest's; with any of those that choose tests, nothing is written.
"""
import os
import sys
import time
from pathlib import Path

import pytest

from tests.faults.report import Tally, write_between


def main(arguments: list[str]) -> int:
    # Also for the processes that pytest starts.
    os.environ['FAULTS'] = 'all'
    tally = Tally()
    began = time.monotonic()
    code = int(
        pytest.main([str(Path(__file__).parent), '--numprocesses=3', '--dist=load', '--quiet', *arguments],
                    plugins=[tally])
    )
    minutes = (time.monotonic() - began) / 60
    lines = tally.table()
    print('\n'.join(lines))
    if code == 0 and not any(argument in ('-k', '-x', '--lf') for argument in arguments):
        write_between('faults', [f'Measured in {minutes:.0f} minutes on {os.cpu_count()} cores.', '', *lines])
    return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
