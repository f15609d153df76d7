import os
import sys
import threading

import bcrypt
import pytest

from talelio_backend.app_account.data.bcrypt_hasher import NICENESS, BcryptHasher
from talelio_backend.shared.business.errors import Unavailable
from tests.support.waiting import PATIENCE

COST = 4
HASHER = BcryptHasher(COST)


@pytest.mark.parametrize('password', ['correct horse battery', 'ünïcödé™', 'x' * 100, 'nul\0inside', ''])
def test_the_right_password_is_recognised(password: str) -> None:
    assert HASHER.verify(password, HASHER.hash(password))


@pytest.mark.parametrize(
    ('password', 'other'),
    [
        ('correct horse battery', 'correct horse batterz'),
        # bcrypt alone stops reading at 72 bytes, and at a NUL.
        ('x' * 72 + 'a', 'x' * 72 + 'b'),
        ('nul\0a', 'nul\0b'),
        ('case', 'CASE'),
    ],
)
def test_every_byte_affects_the_hash(password: str, other: str) -> None:
    assert not HASHER.verify(other, HASHER.hash(password))


def test_equivalent_code_points_match() -> None:
    assert HASHER.verify('e\u0301tude', HASHER.hash('\xe9tude'))


def test_equal_passwords_have_different_hashes() -> None:
    assert HASHER.hash('correct horse battery') != HASHER.hash('correct horse battery')


@pytest.mark.parametrize('corrupt', ['', 'nonsense', '$2b$04$short', '$2b$99$' + 'x' * 53])
def test_a_corrupt_hash_matches_no_password(corrupt: str) -> None:
    assert not HASHER.verify('correct horse battery', corrupt)


def test_a_missing_hash_matches_no_password() -> None:
    assert not HASHER.verify('', None)
    assert not HASHER.verify('nobody', None)


def test_a_hash_of_lower_cost_is_outdated() -> None:
    older = HASHER.hash('correct horse battery')

    assert not HASHER.is_outdated(older)
    assert BcryptHasher(COST + 1).is_outdated(older)
    assert not BcryptHasher(COST - 0).is_outdated(older)


class CountingHasher(BcryptHasher):
    """Counts the extra rounds (2 to the cost) for an older hash."""

    extra = 0

    def _make_hash(self, prehashed: bytes, cost: int) -> bytes:
        self.extra += 2**cost
        return super()._make_hash(prehashed, cost)


def test_a_wrong_password_costs_the_same_against_an_older_hash() -> None:
    older = BcryptHasher(4).hash('correct horse battery')
    hasher = CountingHasher(7)

    assert not hasher.verify('wrong', older)

    # The comparison itself, and the extra rounds.
    assert 2**4 + hasher.extra == 2**7


def test_concurrent_hashing_is_limited() -> None:
    entered, leave = threading.Event(), threading.Event()

    class SlowHasher(BcryptHasher):

        def _make_hash(self, prehashed: bytes, cost: int) -> bytes:
            entered.set()
            leave.wait(PATIENCE)
            return super()._make_hash(prehashed, cost)

    hasher = SlowHasher(COST, at_once=1, timeout=0.05)
    first = threading.Thread(target=hasher.hash, args=('correct horse battery', ))
    first.start()
    try:
        assert entered.wait(PATIENCE)
        with pytest.raises(Unavailable) as caught:
            hasher.hash('another')
        assert caught.value.retry_after > 0
    finally:
        leave.set()
        first.join(PATIENCE)
    assert hasher.hash('another')


def test_the_hash_is_bcrypt_of_the_configured_cost() -> None:
    assert HASHER.hash('x').startswith(bcrypt.gensalt(COST).decode()[:7])


@pytest.mark.skipif(sys.platform != 'linux', reason='no niceness of a thread: run on Linux')
def test_hashing_runs_at_low_priority() -> None:
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    before = set(threading.enumerate())

    BcryptHasher(4).hash('password')

    new, = (thread for thread in set(threading.enumerate()) - before if thread.name.startswith('hashing'))
    assert os.getpriority(os.PRIO_PROCESS, new.native_id or 0) == max(NICENESS, mine)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine
