from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from talelio_backend.shared.business import checkup
from talelio_backend.shared.business.checkup import (
    CLOCK_FAIL,
    CLOCK_WARN,
    Check,
    Finding,
    Report,
    Start,
    Status,
    check_up,
    fail,
    judge_clock,
    ok,
    warn,
)

MEND = 'see whether it hangs'


def at_once(work: Callable[[], None]) -> Future[None]:
    future: Future[None] = Future()
    try:
        work()
    except Exception as error:  # pylint: disable=broad-exception-caught
        future.set_exception(error)
    else:
        future.set_result(None)
    return future


class Hanging:
    """Goes through the first part of the work, and then does nothing more."""

    def __call__(self, work: Callable[[], None]) -> Future[None]:
        at_once(work)
        return Future()


def check(examine: Callable[[], list[Finding] | Iterator[Finding]], *, patience: float = 5) -> Check:
    return Check(name='part', examine=examine, patience=patience, mend=MEND)


def report_of(*checks: Check, start: Start = at_once) -> Report:
    return check_up(checks, start, lambda text: text)


def test_findings_come_in_the_order_of_the_checks() -> None:
    findings = [ok('a', 'fine'), warn('b', 'odd', 'look'), ok('c', 'fine')]

    report = report_of(check(lambda: findings[:2]), check(lambda: findings[2:]))

    assert report.findings == findings


@pytest.mark.parametrize(('findings', 'is_ok'), [
    ([], True),
    ([ok('a', 'fine')], True),
    ([ok('a', 'fine'), warn('b', 'odd', 'look')], True),
    ([fail('a', 'broken', 'mend'), ok('b', 'fine')], False),
])
def test_only_a_failure_makes_the_whole_fail(findings: list[Finding], is_ok: bool) -> None:
    assert report_of(check(lambda: findings)).ok is is_ok


def test_a_check_that_hangs_is_a_failure_and_what_it_found_before_is_told() -> None:
    before = ok('part', 'is there')

    report = report_of(check(lambda: [before], patience=0.01), start=Hanging())

    assert report.findings == [before, fail('part', 'no answer within 0.01 s', MEND)]
    assert not report.ok


def test_checks_that_hang_take_no_longer_together_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def wait_in_vain(futures: list[Future[None]], seconds: float) -> SimpleNamespace:
        nonlocal now
        now += seconds
        return SimpleNamespace(not_done=futures)

    monkeypatch.setattr(checkup, 'time', SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(checkup, 'wait', wait_in_vain)

    report_of(*[check(lambda: [], patience=30)] * 50, start=Hanging())

    assert now == 30


def test_a_check_that_breaks_is_a_failure_that_tells_nothing_of_its_text() -> None:

    def examine() -> Iterator[Finding]:
        yield ok('part', 'is there')
        raise KeyError('planted secret')

    report = report_of(check(examine))

    assert report.findings[1:] == [fail('part', 'the check itself failed: KeyError', MEND)]


def test_a_timeout_of_the_checks_own_is_not_taken_for_a_hang() -> None:

    def examine() -> Iterator[Finding]:
        raise TimeoutError

    assert 'TimeoutError' in report_of(check(examine)).findings[0].found


def test_secrets_are_hidden_in_what_was_found_and_in_how_to_mend_it() -> None:
    findings = [fail('part', 'a planted secret', 'planted, too'), ok('part', 'planted')]

    report = check_up([check(lambda: findings)], at_once, lambda text: text.replace('planted', '***'))

    assert report.findings == [fail('part', 'a *** secret', '***, too'), ok('part', '***')]


@pytest.mark.parametrize(('ahead', 'status'), [
    (0, Status.OK),
    (CLOCK_WARN - 1, Status.OK),
    (1 - CLOCK_WARN, Status.OK),
    (CLOCK_WARN, Status.WARN),
    (-CLOCK_WARN, Status.WARN),
    (CLOCK_FAIL, Status.FAIL),
    (-CLOCK_FAIL, Status.FAIL),
])
def test_clocks_that_differ(ahead: float, status: Status) -> None:
    assert judge_clock('clock', 'the database', ahead).status is status


def test_it_is_told_which_clock_is_ahead() -> None:
    assert judge_clock('clock', 'S3', 7.4).found == 'S3 is 7 s ahead of this machine'
    assert judge_clock('clock', 'S3', -400).found == 'S3 is 400 s behind this machine'
