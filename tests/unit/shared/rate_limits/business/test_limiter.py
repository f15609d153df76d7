from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from talelio_backend.app_account.business.rate_limit_policies import (
    LOGIN,
    PASSWORD_RESET,
    VERIFICATION_RESEND,
)
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter, Refused
from talelio_backend.shared.rate_limits.business.limits import KNOWN_FOR, Limit, Policy, limited_network
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, ORIGIN

MINUTE = timedelta(minutes=1)
WRONG = Unauthenticated('wrong')
# The login's, but a network may do less, so that a test need not try so often.
OF_FEW = replace(LOGIN, network=replace(LOGIN.network, quota=20))
NEAR, FAR = ORIGIN, Actor(address='198.51.100.1')


class Tries:
    """Tries of one limit, one after the other, on a clock that the test moves."""

    def __init__(self, limit: Limit = LOGIN) -> None:
        self.uow = FakeUnitOfWork()
        self.limiter = RateLimiter(lambda: self.uow, lambda text: f'hash of {text}')
        self.limit = limit
        self.now: datetime = NOW

    def make(
        self,
        error: Exception | None = WRONG,
        *,
        actor: Actor = NEAR,
        subject: str = 'maker',
        times: int = 1
    ) -> None:
        for _ in range(times):
            admission = self.limiter.admit(self.limit, actor, subject, self.now)
            self.limiter.settle(admission, error, self.now)

    def refusal(self, *, actor: Actor = NEAR, subject: str = 'maker') -> Refused:
        with pytest.raises(Refused) as caught:
            self.make(actor=actor, subject=subject)
        return caught.value

    def make_from_everywhere(self, times: int) -> None:
        for number in range(times):
            self.make(actor=Actor(address=f'203.0.113.{number}'))


@pytest.mark.parametrize(('address', 'network'), [
    ('192.0.2.7', '192.0.2.7'),
    ('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'),
    ('fe80::1%eth0', 'fe80::/64'),
    (None, 'local'),
])
def test_networks_are_counted_as_clients(address: str | None, network: str) -> None:
    assert limited_network(address) == network


def test_ten_failures_block_an_account_for_all_networks() -> None:
    tries = Tries()

    tries.make_from_everywhere(10)

    refusal = tries.refusal()
    assert (refusal.message, refusal.retry_after) == ('Too many tries, please try again in 60 seconds', 60)
    assert refusal.status.policy.name == 'login'
    tries.make(subject='other')


def test_each_further_failure_doubles_the_pause_up_to_an_hour() -> None:
    tries = Tries()
    tries.make(times=10)
    pauses = []

    for _ in range(9):
        pauses.append(tries.refusal().status.reset)
        tries.now += timedelta(seconds=pauses[-1])
        tries.make()

    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_refused_try_does_not_count() -> None:
    tries = Tries()
    tries.make(times=10)

    for _ in range(100):
        assert tries.refusal().retry_after == 60


def test_a_request_with_an_earlier_time_counts() -> None:
    tries = Tries()
    tries.make()
    tries.now -= timedelta(seconds=1)

    tries.make(times=9)
    tries.now += MINUTE / 2

    tries.refusal()


def test_failures_expire_after_a_day() -> None:
    tries = Tries()
    tries.make(times=9)
    tries.now += LOGIN.subject.window if LOGIN.subject else MINUTE

    tries.make(times=9)


def test_the_count_survives_a_pause() -> None:
    tries = Tries()
    tries.make(times=10)
    tries.now += timedelta(hours=24)

    tries.make()

    assert tries.refusal().retry_after == 120


def test_a_success_refunds_earlier_failures() -> None:
    tries = Tries()

    for _ in range(3):
        tries.make(times=9)
        tries.make(None)


def test_a_success_refunds_failures_of_all_networks() -> None:
    tries = Tries()
    tries.make(times=9)
    tries.make(None)

    tries.make(actor=FAR, times=10)

    tries.refusal(actor=FAR)


def test_a_correct_password_without_access_neither_counts_nor_refunds() -> None:
    tries = Tries()
    tries.make(times=9)

    tries.make(Forbidden('not verified'), times=5)
    tries.make()

    tries.refusal()


@pytest.mark.parametrize('error', [Unavailable('busy'), ValueError('a bug'), Invalid('malformed')])
def test_an_undecided_try_does_not_count(error: Exception) -> None:
    tries = Tries()

    tries.make(error, times=30)

    tries.make(times=10)


def test_others_cannot_lock_out_the_owner_on_a_known_network() -> None:
    tries = Tries()
    tries.make(None, actor=FAR)

    tries.make_from_everywhere(10)

    tries.refusal()
    tries.make(actor=FAR, times=9)
    tries.make(None, actor=FAR)
    tries.refusal()


def test_a_known_network_has_its_own_ten_tries_that_also_count_globally() -> None:
    tries = Tries()
    tries.make(None, actor=FAR)

    tries.make(actor=FAR, times=10)

    tries.refusal(actor=FAR)
    tries.refusal(actor=NEAR)


def test_failures_from_known_and_unknown_networks_add_up_for_strangers() -> None:
    tries = Tries()
    tries.make(None, actor=FAR)

    tries.make(actor=FAR)
    tries.make(times=9)

    tries.refusal()


def test_a_success_on_a_known_network_refunds_only_its_failures() -> None:
    tries = Tries()
    tries.make(None, actor=FAR)
    tries.make(times=8)

    tries.make(actor=FAR)
    tries.make(None, actor=FAR)
    tries.make(times=2)

    tries.refusal()


def test_a_success_on_a_known_network_does_not_prolong_the_pause_of_others() -> None:
    tries = Tries()
    tries.make(None, actor=FAR)
    tries.make(times=10)

    tries.make(None, actor=FAR)

    assert tries.refusal().retry_after == 60


def test_a_known_network_expires() -> None:
    tries = Tries()
    tries.make(None, actor=FAR)
    tries.now += KNOWN_FOR
    tries.make_from_everywhere(10)

    tries.refusal(actor=FAR)


def test_a_network_is_known_per_account() -> None:
    tries = Tries()
    tries.make(None, actor=FAR, subject='other')
    tries.make_from_everywhere(10)

    tries.refusal(actor=FAR)


def test_a_network_cannot_try_all_accounts() -> None:
    tries = Tries(OF_FEW)
    for number in range(OF_FEW.network.quota):
        tries.make(subject=f'account {number}')

    assert tries.refusal(subject='another').status.policy.name == 'login-network'
    tries.make(actor=FAR, subject='another')


def test_a_success_with_an_own_account_does_not_reset_the_network() -> None:
    tries = Tries(OF_FEW)
    for number in range(OF_FEW.network.quota):
        tries.make(subject=f'account {number}')
        if number + 1 < OF_FEW.network.quota:
            tries.make(None, subject='own')

    tries.refusal(subject='own')


def test_refunded_failures_of_an_own_account_do_not_reset_the_network() -> None:
    tries = Tries(OF_FEW)
    for number in range(OF_FEW.network.quota // 5):
        tries.make(subject='own', times=5)
        if number + 1 < OF_FEW.network.quota // 5:
            tries.make(None, subject='own')

    assert tries.refusal(subject='another').status.policy.name == 'login-network'


def test_a_success_counts_if_every_outcome_does() -> None:
    tries = Tries(VERIFICATION_RESEND)

    tries.make(None, times=10)

    assert tries.refusal().status.policy.name == 'resend'
    tries.make(None, subject='other')


def test_a_limit_without_a_subject_counts_by_network_alone() -> None:
    tries = Tries(PASSWORD_RESET)

    tries.make(None, times=200)
    tries.make(Invalid('no such token'), times=100)
    tries.make(Invalid('no such token'), actor=FAR)

    tries.refusal()


def test_neither_email_addresses_nor_networks_are_stored() -> None:
    tries = Tries()
    tries.make(None, subject='maker@example.com')
    tries.limiter = RateLimiter(lambda: tries.uow, lambda text: str(hash(text)))
    tries.uow.store.counters.clear()

    tries.make(subject='maker@example.com')

    kept = str([vars(counter) for counter in tries.uow.store.counters.values()])
    assert kept and 'maker' not in kept and '192.0.2' not in kept


def test_reaching_a_limit_is_recorded_once_per_pause() -> None:
    tries = Tries()
    tries.make(subject='maker@example.com', times=10)
    tries.refusal(subject='maker@example.com')
    tries.refusal(subject='maker@example.com')

    event, = tries.uow.store.events.values()
    # Enough of the hash to tell one subject from another.
    assert (event.kind,
            event.details) == (EventKind.LIMIT_REACHED, {
                'policy': 'login',
                'key': 'hash of maker@ex'
            })


def test_a_client_gets_the_status_of_its_own_network() -> None:
    tries = Tries()
    tries.make()

    status = tries.limiter.admit(LOGIN, NEAR, 'maker', NOW).status

    assert (status.policy.name, status.remaining, status.reset) == ('login-network', 298, 3600)


@pytest.mark.parametrize(('network_pause', 'subject_pause', 'named'), [(1, 5, 'subject'), (5, 1, 'network')])
def test_the_policy_with_the_longer_pause_is_named(
    network_pause: int, subject_pause: int, named: str
) -> None:

    def policy(name: str, pause: int) -> Policy:
        return Policy(name=name, quota=1, window=60 * MINUTE, first_pause=pause * MINUTE)

    tries = Tries(Limit(network=policy('network', network_pause), subject=policy('subject', subject_pause)))
    tries.make()

    status = tries.refusal().status

    assert (status.policy.name, status.remaining, status.reset) == (named, 0, 300)


def test_either_policy_is_named_if_the_pauses_are_equal() -> None:
    policies = [Policy(name=name, quota=1, window=60 * MINUTE) for name in ('network', 'subject')]
    tries = Tries(Limit(network=policies[0], subject=policies[1]))
    tries.make()

    assert tries.refusal().status.reset == 60


def test_retry_after_is_rounded_up() -> None:
    tries = Tries()
    tries.make(times=10)
    tries.now += timedelta(seconds=59, milliseconds=500)

    assert tries.refusal().retry_after == 1


def test_pauses_do_not_overflow() -> None:
    policy = Policy(name='any', quota=1, window=MINUTE)

    assert policy.pause_after(10**9) == policy.longest_pause


def test_a_remembered_network_has_its_own_budget() -> None:
    tries = Tries()
    tries.make_from_everywhere(10)

    tries.limiter.remember_network(NEAR, 'maker', NOW)

    tries.make(None)
    assert tries.refusal(actor=FAR).status.policy.name == 'login'
    tries.now += KNOWN_FOR + MINUTE
    tries.make_from_everywhere(10)
    assert tries.refusal().status.policy.name == 'login'
