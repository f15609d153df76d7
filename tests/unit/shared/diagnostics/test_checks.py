from collections.abc import Callable
from concurrent.futures import Future

from talelio_backend.shared.diagnostics.business.checks import (
    Check,
    CheckFailed,
    CheckResult,
    Report,
    Start,
    Status,
    run_checks,
)


def at_once(work: Callable[[], None]) -> Future[None]:
    future: Future[None] = Future()
    try:
        work()
    except Exception as error:  # pylint: disable=broad-exception-caught
        future.set_exception(error)
    else:
        future.set_result(None)
    return future


def never(_work: Callable[[], None]) -> Future[None]:
    return Future()


def raising(error: Exception) -> Callable[[], str]:

    def run() -> str:
        raise error

    return run


def report_of(*runs: Callable[[], str], start: Start = at_once) -> Report:
    checks = [Check(name='part', run=run) for run in runs]
    return run_checks(checks, start, lambda text: text.replace('planted', '***'), timeout=0.01)


def test_results_are_in_the_order_of_the_checks() -> None:
    report = report_of(
        lambda: 'fine', raising(CheckFailed('odd', 'look', Status.WARN)),
        raising(CheckFailed('away', 'start it'))
    )

    assert report.results == [
        CheckResult(name='part', status=Status.OK, found='fine'),
        CheckResult(name='part', status=Status.WARN, found='odd', remedy='look'),
        CheckResult(name='part', status=Status.FAIL, found='away', remedy='start it'),
    ]


def test_only_a_failure_fails_the_report() -> None:
    warning = raising(CheckFailed('odd', 'look', Status.WARN))

    assert report_of().ok
    assert report_of(lambda: 'fine', warning).ok
    assert not report_of(warning, raising(CheckFailed('away', 'start it')), lambda: 'fine').ok


def test_a_hanging_check_fails() -> None:
    result, = report_of(lambda: 'fine', start=never).results

    assert (result.status, result.found) == (Status.FAIL, 'timed out')


def test_an_unexpected_error_fails_the_check_without_being_quoted() -> None:
    result, = report_of(raising(KeyError('secret'))).results

    assert (result.status, result.found) == (Status.FAIL, 'the check itself failed: KeyError')


def test_secrets_are_redacted() -> None:
    failed, passed = report_of(raising(CheckFailed('a planted', 'planted, too')), lambda: 'planted').results

    assert (failed.found, failed.remedy, passed.found) == ('a ***', '***, too', '***')
