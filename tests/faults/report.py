"""The table of faults: gathered while the tests run, printed, and kept in RELIABILITY.md."""
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from talelio_backend.settings import PROJECT_FOLDER

RELIABILITY = PROJECT_FOLDER / '.github' / 'RELIABILITY.md'


def write_between(name: str, lines: Sequence[str], path: Path = RELIABILITY) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- end of name -->`."""
    begin, end = f'<!-- {name} -->', f'<!-- end of {name} -->'
    before, begun, rest = path.read_text(encoding='utf-8').partition(begin)
    _, ended, after = rest.partition(end)
    assert begun and ended, f'{path} has no {begin} … {end}'
    path.write_text(before + '\n'.join([begin, *lines, end]) + after, encoding='utf-8')


@dataclass
class Count:
    cases: int = 0
    survived: int = 0
    holds: set[str] = field(default_factory=set)
    # Why some were not tried here.
    skipped: int = 0


class Tally:
    """A plugin of pytest's, for the process that is told of all tests."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Count] = defaultdict(Count)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told: Mapping[str, object] = dict(report.user_properties)
        # The call of a test that was skipped, or could not be set up, has no report of its own.
        if 'part' not in told or not (
            report.when == 'call' or (report.when == 'setup' and not report.passed)
        ):
            return
        count = self.counts[str(told['part']), str(told['fault'])]
        count.holds.add(str(told['holds']))
        if report.skipped:
            count.skipped += 1
            return
        count.cases += 1
        count.survived += report.passed

    def table(self) -> list[str]:
        lines = ['| part | fault | survived | what must hold |', '|---|---|---|---|']
        for (part, fault), count in sorted(self.counts.items()):
            skipped = f', {count.skipped} NOT TRIED' if count.skipped else ''
            lines.append(
                f'| {part} | {fault} | {count.survived} of {count.cases}{skipped} '
                f'| {"; ".join(sorted(count.holds))} |'
            )
        survived = sum(count.survived for count in self.counts.values())
        cases = sum(count.cases for count in self.counts.values())
        lines.append(f'| **all** | | **{survived} of {cases}** | |')
        return lines
