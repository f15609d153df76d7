"""Runs checks side by side, for an operator who wants to know what is wrong and how to set it right."""
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from enum import StrEnum


class Status(StrEnum):
    OK = 'ok'
    # The service runs, perhaps not as intended.
    WARN = 'warn'
    FAIL = 'fail'


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    # What was checked; stays the same from release to release.
    name: str
    status: Status
    found: str
    # None where nothing is wrong.
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


# Starts some work without waiting for its end, and does not keep the process from ending.
Start = Callable[[Callable[[], None]], Future[None]]


def run_checks(
    checks: Iterable[Check], start: Start, redact: Callable[[str], str], *, timeout: float
) -> Report:
    """`timeout` is in seconds, for all checks together. `redact` removes secrets: servers may repeat them."""
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
            error: BaseException | None = CheckFailed('no answer in time', 'Find out why it hangs')
        else:
            error = self._end.exception()
        if error is None:
            return CheckResult(name=name, status=Status.OK, found=self._found)
        if not isinstance(error, CheckFailed):
            # The text of an unexpected error could contain anything.
            error = CheckFailed(f'the check itself failed: {type(error).__name__}', 'Report this as a bug')
        return CheckResult(name=name, status=error.status, found=error.found, remedy=error.remedy)
