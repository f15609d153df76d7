"""Runs checks concurrently and collects their results."""
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from enum import StrEnum


class Status(StrEnum):
    OK = 'ok'
    # The service works, but perhaps not as intended.
    WARN = 'warn'
    FAIL = 'fail'


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    # Stable between releases.
    name: str
    status: Status
    found: str
    # None if the check passed.
    remedy: str | None = None


class CheckFailed(Exception):

    def __init__(self, found: str, remedy: str, status: Status = Status.FAIL) -> None:
        super().__init__(found)
        self.found, self.remedy, self.status = found, remedy, status


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    # Returns what it found, or raises CheckFailed.
    run: Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Report:
    results: Sequence[CheckResult]

    @property
    def ok(self) -> bool:
        return all(result.status is not Status.FAIL for result in self.results)


# Starts a function in the background without blocking the exit of the process.
Start = Callable[[Callable[[], None]], Future[None]]


def run_checks(
    checks: Iterable[Check], start: Start, redact: Callable[[str], str], *, timeout: float
) -> Report:
    """`timeout` is in seconds, for all checks together. `redact` removes secrets that servers may echo."""
    deadline = time.monotonic() + timeout
    running = [_Running(check, start) for check in checks]
    results = [each.result(max(0.0, deadline - time.monotonic())) for each in running]
    return Report(
        results=[
            replace(each, found=redact(each.found), remedy=each.remedy and redact(each.remedy))
            for each in results
        ]
    )


class _Running:

    def __init__(self, check: Check, start: Start) -> None:
        self._check = check
        self._found = ''
        self._end = start(self._run)

    def _run(self) -> None:
        self._found = self._check.run()

    def result(self, seconds: float) -> CheckResult:
        name = self._check.name
        if wait([self._end], seconds).not_done:
            error: BaseException | None = CheckFailed('timed out', 'Find out why it hangs')
        else:
            error = self._end.exception()
        if error is None:
            return CheckResult(name=name, status=Status.OK, found=self._found)
        if not isinstance(error, CheckFailed):
            # The message of an unexpected error may contain secrets.
            error = CheckFailed(f'the check itself failed: {type(error).__name__}', 'Report this as a bug')
        return CheckResult(name=name, status=error.status, found=error.found, remedy=error.remedy)
