from collections.abc import Callable
from concurrent.futures import Future

from talelio_backend.shared.diagnostics.business.checks import (
    Check,
    CheckFailed,
    CheckResult,
    Start,
    Status,
    run_checks,
)


def at_once(work: Callable[[], str]) -> Future[str]:
    future: Future[str] = Future()
    try:
        found = work()
    except Exception as error:  # pylint: disable=broad-exception-caught
        future.set_exception(error)
    else:
        future.set_result(found)
    return future


def never(_work: Callable[[], str]) -> Future[str]:
    return Future()


def raising(error: Exception) -> Callable[[], str]:

    def run() -> str:
        raise error

    return run


def results_of(*runs: Callable[[], str], start: Start = at_once) -> list[CheckResult]:
    checks = [Check(name='part', run=run) for run in runs]
    return run_checks(checks, start, lambda text: text.replace('planted', '***'), timeout=0.01)


def test_results_are_in_the_order_of_the_checks() -> None:
    results = results_of(
        lambda: 'fine', raising(CheckFailed('odd', 'look', Status.WARN)),
        raising(CheckFailed('away', 'start it'))
    )

    assert results == [
        CheckResult(name='part', status=Status.OK, found='fine'),
        CheckResult(name='part', status=Status.WARN, found='odd', remedy='look'),
        CheckResult(name='part', status=Status.FAIL, found='away', remedy='start it'),
    ]


def test_a_hanging_check_fails() -> None:
    result, = results_of(lambda: 'fine', start=never)

    assert (result.status, result.found) == (Status.FAIL, 'timed out')


def test_an_unexpected_error_fails_the_check_without_being_quoted() -> None:
    result, = results_of(raising(KeyError('secret')))

    assert (result.status, result.found) == (Status.FAIL, 'the check itself failed: KeyError')


def test_secrets_are_redacted() -> None:
    failed, passed = results_of(raising(CheckFailed('a planted', 'planted, too')), lambda: 'planted')

    assert (failed.found, failed.remedy, passed.found) == ('a ***', '***, too', '***')
