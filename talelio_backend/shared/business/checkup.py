"""Asks all parts at once whether they work, for an operator who wants to know what to mend."""
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from enum import StrEnum


class Status(StrEnum):
    OK = 'ok'
    # The service runs, perhaps not as it was meant to.
    WARN = 'warn'
    FAIL = 'fail'


@dataclass(frozen=True, kw_only=True)
class Finding:
    # What was looked at; stays the same from release to release.
    name: str
    status: Status
    found: str
    # How to set it right; None where nothing is wrong.
    mend: str | None = None


def ok(name: str, found: str) -> Finding:
    return Finding(name=name, status=Status.OK, found=found)


def warn(name: str, found: str, mend: str) -> Finding:
    return Finding(name=name, status=Status.WARN, found=found, mend=mend)


def fail(name: str, found: str, mend: str) -> Finding:
    return Finding(name=name, status=Status.FAIL, found=found, mend=mend)


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    # May yield findings one by one: those that came before it fell silent are told.
    examine: Callable[[], Iterable[Finding]]
    # In seconds, from the beginning of the check-up.
    patience: float
    # What to do when it does not end in time.
    mend: str


@dataclass(frozen=True, kw_only=True)
class Report:
    findings: Sequence[Finding]

    @property
    def ok(self) -> bool:
        return all(finding.status is not Status.FAIL for finding in self.findings)


# Begins some work without waiting for its end, and does not keep the process from ending.
Start = Callable[[Callable[[], None]], Future[None]]


def check_up(checks: Sequence[Check], start: Start, hide: Callable[[str], str]) -> Report:
    """Make all checks side by side; it takes no longer than the most patient of them.

    `hide` takes the secrets out of a text: findings quote what servers say, and those may repeat them.
    """
    began = time.monotonic()
    under_way = [_UnderWay(check, start) for check in checks]
    findings = [
        finding for one in under_way
        for finding in one.findings(max(0.0, began + one.check.patience - time.monotonic()))
    ]
    return Report(findings=[_without_secrets(finding, hide) for finding in findings])


class _UnderWay:

    def __init__(self, check: Check, start: Start) -> None:
        self.check = check
        self._found: list[Finding] = []
        self._end = start(self._examine)

    def _examine(self) -> None:
        for finding in self.check.examine():
            self._found.append(finding)

    def findings(self, seconds: float) -> list[Finding]:
        if wait([self._end], seconds).not_done:
            silence = f'no answer within {self.check.patience:g} s'
            return [*self._found, fail(self.check.name, silence, self.check.mend)]
        error = self._end.exception()
        if error is None:
            return self._found
        # Its text could hold anything.
        fault = f'the check itself failed: {type(error).__name__}'
        return [*self._found, fail(self.check.name, fault, self.check.mend)]


def _without_secrets(finding: Finding, hide: Callable[[str], str]) -> Finding:
    mend = None if finding.mend is None else hide(finding.mend)
    return replace(finding, found=hide(finding.found), mend=mend)


# Seconds. A clock that is kept right by NTP is off by far less.
CLOCK_WARN = 5.0
# S3 refuses requests that are off by 15 minutes, and tokens are good for 30.
CLOCK_FAIL = 300.0


def judge_clock(name: str, whose: str, ahead: float) -> Finding:
    """`ahead` is how many seconds that clock is ahead of this machine's."""
    if abs(ahead) < CLOCK_WARN:
        return ok(name, f'this machine and {whose} agree')
    direction = 'ahead of' if ahead > 0 else 'behind'
    judge = fail if abs(ahead) >= CLOCK_FAIL else warn
    return judge(
        name, f'{whose} is {abs(ahead):.0f} s {direction} this machine',
        'See which clock is wrong (timedatectl) and have NTP keep it'
    )
