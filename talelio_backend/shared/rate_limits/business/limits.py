"""Rate-limit policies and their counters.

They follow OWASP's Authentication Cheat Sheet ("Login Throttling") and Blocking Brute Force Attacks ("Device
Cookies", in whose place known networks are used).
"""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Protocol

from talelio_backend.shared.audit.business.audit_trail import AuditUnitOfWork
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.business.repository import Repository

# How long a network is known after the last login from it.
KNOWN_FOR = timedelta(days=90)
KNOWN_NETWORK = 'known-network'


@dataclass(frozen=True, kw_only=True)
class Policy:
    # In response headers, and the key of counters.
    name: str
    # Tries per window. Each further try doubles the pause before the next one.
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
    """The limits of one use case."""

    # Per client network, for all subjects.
    network: Policy
    # Per subject, such as an e-mail address, from all networks.
    subject: Policy | None = None
    # Whether a network that succeeded with the subject before has a budget of its own under the subject's
    # policy, so that others cannot lock out the owner.
    remembers_networks: bool = False
    # Errors that count as a try. By default every outcome does.
    counted: tuple[type[BusinessError], ...] = ()

    def counts(self, error: BaseException | None) -> bool:
        return not self.counted or isinstance(error, self.counted)


@dataclass(eq=False, kw_only=True)
class Counter:
    policy: str
    # A keyed hash of the network or subject.
    key: str
    count: int
    blocked_until: datetime
    expires_at: datetime

    def is_blocked(self, policy: Policy, now: datetime) -> bool:
        return self.count >= policy.quota and self.blocked_until > now

    def take(self, policy: Policy, now: datetime) -> None:
        """Count a try before it is made."""
        # A concurrent request may have created the counter slightly later than `now`.
        if self.count == 0 or self.expires_at <= now:
            self.count = 0
            self.expires_at = now + policy.window
        self.count += 1
        pause = policy.pause_after(self.count)
        if pause:
            self.blocked_until = now + pause
            # The count must survive the pause.
            self.expires_at = max(self.expires_at, self.blocked_until + policy.window)

    def refund(self, tries: int, policy: Policy, now: datetime) -> None:
        """Subtract tries that do not count."""
        self.count = max(0, self.count - tries)
        # They must not have prolonged the pause.
        self.blocked_until = min(self.blocked_until, now + policy.pause_after(self.count))


class CounterRepository(Repository[Counter, tuple[str, str]], Protocol):
    """The key consists of the policy and the key."""

    def lock(self, names: Sequence[tuple[str, str]], now: datetime) -> list[Counter]:
        """Lock and return the counters with these policies and keys, in this order. Create missing ones."""

    def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` counters. Return their number."""


class LimitsUnitOfWork(AuditUnitOfWork, Protocol):

    @property
    def counters(self) -> CounterRepository:
        ...


def limited_network(address: str | None) -> str:
    """Return an IPv4 address, or the /64 in which an IPv6 host can choose its address.

    Neighbouring IPv4 addresses belong to other people.
    """
    if address is None:
        return 'local'
    if ip_address(address).version == 4:
        return address
    return str(ip_network(f'{address.partition("%")[0]}/64', strict=False))
