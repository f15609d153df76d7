"""Skips tests for which this machine lacks something. A reason says what is missing and how to get it."""
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn

import pytest


def skip(missing: str, remedy: str) -> NoReturn:
    pytest.skip(f'{missing}: {remedy}')


def skip_outside_ci(missing: str, remedy: str) -> NoReturn:
    """For what `.ci/run` installs, or GitHub's machines have: where CI is set, its absence is a failure."""
    if os.environ.get('CI'):
        pytest.fail(f'{missing}: {remedy}')
    skip(missing, remedy)


def require_npm() -> None:
    if shutil.which('npm') is None:
        skip_outside_ci('no npm', 'install Node.js 20 or newer')


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Count the skipped tests by reason, after all else that is told."""
    yield
    skipped = terminalreporter.stats.get('skipped', ())
    reasons = Counter(report.longrepr[2].removeprefix('Skipped: ') for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f'{count} skipped: {reason}')
