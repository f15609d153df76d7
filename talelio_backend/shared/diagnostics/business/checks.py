"""Runs checks concurrently and collects their results."""
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self


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

    @classmethod
    def failing(cls, name: str, found: str, remedy: str, status: Status = Status.FAIL) -> Self:

        def run() -> str:
            raise CheckFailed(found, remedy, status)

        return cls(name=name, run=run)


# Starts a function in the background without blocking the exit of the process.
Start = Callable[[Callable[[], str]], Future[str]]


def run_checks(checks: Iterable[Check], start: Start, redact: Callable[[str], str], *,
               timeout: float) -> list[CheckResult]:
    """`timeout` is in seconds, for all checks together. `redact` removes secrets that servers may echo."""
    deadline = time.monotonic() + timeout
    running = [(check.name, start(check.run)) for check in checks]
    results = [_result(name, future, deadline) for name, future in running]
    return [
        replace(each, found=redact(each.found), remedy=each.remedy and redact(each.remedy))
        for each in results
    ]


def _result(name: str, future: Future[str], deadline: float) -> CheckResult:
    try:
        found = future.result(max(0.0, deadline - time.monotonic()))
        return CheckResult(name=name, status=Status.OK, found=found)
    except CheckFailed as error:
        failure = error
    except TimeoutError:
        failure = CheckFailed('timed out', 'Find out why it hangs')
    except Exception as error:  # pylint: disable=broad-exception-caught
        # The message of an unexpected error may contain secrets.
        failure = CheckFailed(f'the check itself failed: {type(error).__name__}', 'Report this as a bug')
    return CheckResult(name=name, status=failure.status, found=failure.found, remedy=failure.remedy)
