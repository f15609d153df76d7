from dataclasses import replace

import pytest

from tests.soak.load import SHARES
from tests.soak.verdict import (
    EXPECTED,
    FLOOD,
    LOGINS,
    READS,
    WRITES,
    Judgement,
    Outcome,
    Phase,
    Rest,
    growth_of,
    judge,
    not_returned,
    phase_at,
    summarize,
)

AT_REST = Rest(connections=10, in_use=0, in_transaction=0, descriptors=40, threads=20)


def wrong_with(after: Rest) -> list[str]:
    return not_returned(AT_REST, after, most_connections=26, most_threads=44)


@pytest.mark.parametrize('kind', EXPECTED)
def test_what_is_expected_is_served(kind: str) -> None:
    assert judge(Outcome(kind, 0, 0, EXPECTED[kind])) is Judgement.SERVED


@pytest.mark.parametrize('status', [429, 503])
def test_who_is_told_when_to_come_back_has_not_failed(status: int) -> None:
    assert judge(Outcome('list', 0, 0, status, retry_after=True)) is Judgement.TOLD_TO_RETRY


@pytest.mark.parametrize('status', [429, 503])
def test_who_is_not_told_when_to_come_back_has_failed(status: int) -> None:
    assert judge(Outcome('list', 0, 0, status)) is Judgement.FAILED


@pytest.mark.parametrize('status', [201, 304, 400, 403, 404, 500, 502, 504])
def test_every_other_answer_is_a_failure(status: int) -> None:
    assert judge(Outcome('list', 0, 0, status, retry_after=True)) is Judgement.FAILED


def test_a_right_status_with_another_body_is_a_failure() -> None:
    assert judge(Outcome('list', 0, 0, 200, fault='another body')) is Judgement.FAILED


@pytest.mark.parametrize('fault', ['ConnectionResetError', 'RemoteDisconnected', 'TimeoutError'])
def test_no_answer_is_a_failure(fault: str) -> None:
    assert judge(Outcome('list', 0, 0, fault=fault)) is Judgement.FAILED


def test_whoever_was_refused_knows_that_nothing_was_sent() -> None:
    assert judge(Outcome('list', 0, 0, fault='ConnectionRefusedError')) is Judgement.TOLD_TO_RETRY


def test_every_kind_that_is_sent_is_read_written_or_logged_in() -> None:
    assert {*READS, *WRITES, *LOGINS} == set(EXPECTED)
    assert SHARES.keys() <= EXPECTED.keys()
    assert sum(SHARES[kind] for kind in READS) / sum(SHARES.values()) == 0.95


def test_a_moment_belongs_to_the_phase_that_has_begun() -> None:
    phases = [Phase('calm', 0, 10), Phase('flood', 10, 20), Phase('calm', 20, 30)]

    assert [phase_at(at, phases)
            for at in (0, 9.9, 10, 20, 30, 31)] == ['calm', 'calm', 'flood', 'calm', 'calm', 'calm']


def test_a_summary_counts_and_tells_reads_from_writes() -> None:
    summary = summarize([
        Outcome('list', 0, 0.001, 200),
        Outcome('project', 0, 0.003, 200),
        Outcome('publish', 0, 0.5, 503, retry_after=True),
        Outcome('upload', 0, 1.5, 500),
        # The flood's own logins do not count as those of others.
        Outcome(FLOOD, 0, 9, 401),
    ])

    assert (summary['served'], summary['told to retry'], summary['failed']) == (3, 1, 1)
    assert summary['reads'] == {'p50': 1, 'p99': 3}
    assert summary['writes'] == {'p50': 500, 'p99': 1500}
    assert summary['logins'] == {'p50': None, 'p99': None}


def test_memory_is_compared_after_the_warm_up() -> None:
    # The first tenth climbs, the middle does what it wants.
    samples = [(at, 50.0 + at) for at in range(10)]
    samples += [(at, 100.0 if at < 40 else 300 if at < 70 else 108) for at in range(10, 100)]

    growth = growth_of(samples, 100)

    assert (growth.first, growth.last, growth.is_flat) == (100, 108, True)
    assert growth.share == pytest.approx(0.08)


def test_one_picture_at_a_time_is_no_growth() -> None:
    samples = [(float(at), 400.0 if at > 50 and at % 5 == 0 else 100.0) for at in range(100)]

    assert growth_of(samples, 100).is_flat


def test_a_steady_leak_is_not_flat() -> None:
    samples = [(float(at), 200.0 + at / 2) for at in range(100)]

    assert not growth_of(samples, 100).is_flat


def test_a_run_that_was_not_watched_says_nothing() -> None:
    with pytest.raises(ValueError, match='no sample'):
        growth_of([(20.0, 100.0)], 100)


def test_pools_may_have_filled_up() -> None:
    assert not wrong_with(replace(AT_REST, connections=26, descriptors=66, threads=44))


@pytest.mark.parametrize(
    'after', [
        replace(AT_REST, in_use=1),
        replace(AT_REST, in_transaction=1),
        replace(AT_REST, connections=27),
        replace(AT_REST, descriptors=100),
        replace(AT_REST, threads=45),
    ]
)
def test_what_is_not_given_back_is_named(after: Rest) -> None:
    assert len(wrong_with(after)) == 1
