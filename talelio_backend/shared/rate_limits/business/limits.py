"""How often something may be tried: the counters, and what they are counted by.

After OWASP's Authentication Cheat Sheet ("Login Throttling") and Blocking Brute Force Attacks ("Device
Cookies", whose part is taken by known networks here).
"""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Protocol

from talelio_backend.shared.audit.business.audit_trail import AuditUnitOfWork
from talelio_backend.shared.business.errors import BusinessError

# How long a network from which somebody logged in counts as theirs, after the last time.
KNOWN_FOR = timedelta(days=90)
KNOWN_NETWORK = 'known-network'

# Rows of one transaction, so that pruning holds nobody up.
PRUNE_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Policy:
    # Shown to clients, and the name that counters are kept under.
    name: str
    # So many tries in the window; after them each one is followed by a pause, twice as long as the last.
    quota: int
    window: timedelta
    first_pause: timedelta = timedelta(minutes=1)
    longest_pause: timedelta = timedelta(hours=1)

    def pause_after(self, count: int) -> timedelta:
        if count < self.quota:
            return timedelta(0)
        return min(self.first_pause * (1 << min(count - self.quota, 20)), self.longest_pause)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What limits one use case."""

    # Of one network, whomever its tries are about.
    network: Policy
    # Of one subject, such as an e-mail address, from wherever the tries come.
    subject: Policy | None = None
    # Whether a network that succeeded with the subject before has its own budget, of the subject's policy, in
    # which the tries of others do not count. So nobody can lock out the owner.
    remembers_networks: bool = False
    # What a try must end in to stay counted; nothing stands for any end. A try is counted before it is made.
    counted: tuple[type[BusinessError], ...] = ()

    def counts(self, error: BaseException | None) -> bool:
        return not self.counted or isinstance(error, self.counted)


@dataclass(eq=False, kw_only=True)
class Counter:
    policy: str
    # A keyed hash: what is counted cannot be read from it.
    key: str
    count: int
    blocked_until: datetime
    # Forgotten then.
    expires_at: datetime

    def is_blocked(self, policy: Policy, now: datetime) -> bool:
        return self.count >= policy.quota and self.blocked_until > now

    def take(self, policy: Policy, now: datetime) -> None:
        """Count a try that is about to be made."""
        # Where requests overlap, a counter without a try may have been made a moment from now.
        if self.count == 0 or self.expires_at <= now:
            self.count = 0
            self.expires_at = now + policy.window
        self.count += 1
        pause = policy.pause_after(self.count)
        if pause:
            self.blocked_until = now + pause
            # A pause must not end in a clean slate.
            self.expires_at = max(self.expires_at, self.blocked_until + policy.window)

    def refund(self, tries: int, policy: Policy, now: datetime) -> None:
        """Forget tries that shall not count after all."""
        self.count = max(0, self.count - tries)
        # Nor shall they have made the pause of others longer.
        self.blocked_until = min(self.blocked_until, now + policy.pause_after(self.count))


class CounterRepository(Protocol):

    def get(self, id_: tuple[str, str]) -> Counter | None:
        ...

    def lock(self, names: Sequence[tuple[str, str]], now: datetime) -> list[Counter]:
        """Return the counters of these policies and keys, in the same order.

        They are made where there are none, and locked against others until the unit of work ends.
        """

    def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete at most `limit`. Return how many."""


class LimitsUnitOfWork(AuditUnitOfWork, Protocol):

    @property
    def counters(self) -> CounterRepository:
        ...


def limited_network(address: str | None) -> str:
    """What is counted as one client: an IPv4 address, or the /64 that an IPv6 host can choose addresses of.

    IPv4 has no wider net: neighbouring addresses are other people, and many people share one as it is.
    """
    if address is None:
        return 'local'
    if ip_address(address).version == 4:
        return address
    return str(ip_network(f'{address.partition("%")[0]}/64', strict=False))


def prune(uow: LimitsUnitOfWork, now: datetime) -> int:
    with uow:
        pruned = uow.counters.delete_expired(now, PRUNE_BATCH)
        uow.commit()
    return pruned
