"""What the claims of idempotency keys promise, on the real database and on the fake alike."""
from datetime import datetime, timedelta

import pytest

from talelio_backend.bootstrap.pruning import prune
from talelio_backend.shared.idempotency.business.claims import (
    LEASE,
    RETENTION,
    IdempotencyClaim,
    KeyInUse,
    KeyReused,
    StoredResponse,
    claim,
    release,
    scope_of,
    store_response,
)
from tests.support.backings import Backing, committed_account
from tests.support.samples import AUDIT_RETENTION, NOW, new_project

ANSWER = StoredResponse(
    status=201, headers={'Content-Type': 'application/json'}, content=b'{"id": 7}\x00\xff'
)
JUST_BEFORE = timedelta(microseconds=1)


def wanted(
    scope: str = 'account 1',
    key: str = 'a key',
    fingerprint: str = 'a request',
    now: datetime = NOW
) -> IdempotencyClaim:
    return IdempotencyClaim.make(scope=scope, key=key, fingerprint=fingerprint, now=now)


def answered(backing: Backing) -> IdempotencyClaim:
    claimed = claim(backing.unit_of_work(), wanted(), NOW)
    with backing.unit_of_work() as uow:
        store_response(uow, claimed, ANSWER)
        uow.commit()
    return claimed


def test_the_first_to_come_has_the_key(backing: Backing) -> None:
    mine = wanted()

    claimed = claim(backing.unit_of_work(), mine, NOW)

    assert (claimed.holder, claimed.response) == (mine.holder, None)


def test_others_wait_while_it_is_worked_on(backing: Backing) -> None:
    claim(backing.unit_of_work(), wanted(), NOW)

    with pytest.raises(KeyInUse):
        claim(backing.unit_of_work(), wanted(), NOW + LEASE - JUST_BEFORE)


def test_the_answer_is_there_for_the_same_request_and_nobody_else(backing: Backing) -> None:
    answered(backing)
    later = NOW + RETENTION - JUST_BEFORE

    assert claim(backing.unit_of_work(), wanted(), later).response == ANSWER
    with pytest.raises(KeyReused):
        claim(backing.unit_of_work(), wanted(fingerprint='another request'), later)
    for other in wanted(scope='account 2'), wanted(key='A key'):
        assert claim(backing.unit_of_work(), other, NOW).response is None


def test_a_key_is_good_again_after_a_day(backing: Backing) -> None:
    answered(backing)
    another = wanted(fingerprint='another request')

    claimed = claim(backing.unit_of_work(), another, NOW + RETENTION)

    assert (claimed.holder, claimed.fingerprint,
            claimed.response) == (another.holder, 'another request', None)


def test_what_somebody_left_who_died_is_taken_over(backing: Backing) -> None:
    left = claim(backing.unit_of_work(), wanted(), NOW)
    mine = wanted(now=NOW + LEASE)

    taken = claim(backing.unit_of_work(), mine, NOW + LEASE)

    assert (taken.id, taken.holder) == (left.id, mine.holder)
    # Not dead after all, but too late: what it has done is rolled back with its answer.
    author = committed_account(backing)
    with pytest.raises(KeyInUse), backing.unit_of_work() as uow:
        uow.projects.add(new_project(author.user.id))
        store_response(uow, left, ANSWER)
        uow.commit()
    with backing.unit_of_work() as uow:
        store_response(uow, taken, ANSWER)
        uow.commit()
    assert claim(backing.unit_of_work(), wanted(), NOW + LEASE).response == ANSWER


def test_an_answer_is_rolled_back_with_the_work(backing: Backing) -> None:
    claimed = claim(backing.unit_of_work(), wanted(), NOW)

    with backing.unit_of_work() as uow:
        store_response(uow, claimed, ANSWER)

    with pytest.raises(KeyInUse):
        claim(backing.unit_of_work(), wanted(), NOW)


def test_a_key_that_is_released_is_as_good_as_new(backing: Backing) -> None:
    release(backing.unit_of_work(), claim(backing.unit_of_work(), wanted(), NOW))

    another = wanted(fingerprint='another request')
    assert claim(backing.unit_of_work(), another, NOW).holder == another.holder


def test_work_that_was_committed_is_not_released(backing: Backing) -> None:
    release(backing.unit_of_work(), answered(backing))

    assert claim(backing.unit_of_work(), wanted(), NOW).response == ANSWER


def test_only_its_holder_releases_a_key(backing: Backing) -> None:
    left = claim(backing.unit_of_work(), wanted(), NOW)
    claim(backing.unit_of_work(), wanted(now=NOW + LEASE), NOW + LEASE)

    release(backing.unit_of_work(), left)

    with pytest.raises(KeyInUse):
        claim(backing.unit_of_work(), wanted(), NOW + LEASE)


def test_old_claims_go_away_with_new_ones(backing: Backing) -> None:
    old = [claim(backing.unit_of_work(), wanted(key=f'key {number}'), NOW) for number in range(5)]

    claim(backing.unit_of_work(), wanted(), NOW + RETENTION)

    with backing.unit_of_work() as uow:
        assert [uow.idempotency_claims.get_for_update(claimed.id) for claimed in old] == [None] * 5


def test_old_claims_go_away_without_new_ones(backing: Backing) -> None:
    old = answered(backing)

    assert prune(backing.unit_of_work(), AUDIT_RETENTION, NOW + RETENTION - JUST_BEFORE) == 0
    assert prune(backing.unit_of_work(), AUDIT_RETENTION, NOW + RETENTION) == 1

    with backing.unit_of_work() as uow:
        assert uow.idempotency_claims.get_for_update(old.id) is None


def test_what_one_account_was_answered_is_removed_and_no_others(backing: Backing) -> None:
    own, others = (claim(backing.unit_of_work(), wanted(scope=scope_of(id_)), NOW) for id_ in (1, 11))

    with backing.unit_of_work() as uow:
        uow.idempotency_claims.delete_of_scope(scope_of(1))
        uow.commit()

    with backing.unit_of_work() as uow:
        assert uow.idempotency_claims.get_for_update(own.id) is None
        assert uow.idempotency_claims.get_for_update(others.id) is not None
