"""Charges each try up front and refunds the ones that do not count."""
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import TooManyRequests
from talelio_backend.shared.rate_limits.business.limits import (
    KNOWN_FOR,
    KNOWN_NETWORK,
    Counter,
    Limit,
    LimitsUnitOfWork,
    Policy,
    limited_network,
)


@dataclass(frozen=True, kw_only=True)
class Charge:
    """A try counted under a policy."""

    policy: Policy
    key: str
    # Whether an exhausted quota refuses the try.
    refuses: bool = True

    @property
    def name(self) -> tuple[str, str]:
        return self.policy.name, self.key


@dataclass(frozen=True, kw_only=True)
class RateLimitStatus:
    """A client's state under a policy. `reset` is in seconds."""

    policy: Policy
    remaining: int
    reset: int


@dataclass(frozen=True, kw_only=True)
class Admission:
    """An admitted try."""

    limit: Limit
    actor: Actor
    # To the network, to the subject, and to the subject's budget for a known network, as far as they apply.
    charges: list[Charge]
    # The key under which the network is or becomes known.
    known_key: str
    # Charges that exhaust their quota.
    used_up: list[Charge]
    # Of the network's policy. The subject's status would reveal the activity of others.
    status: RateLimitStatus


class Refused(TooManyRequests):
    """`status` names the policy that refused."""

    code = 'too_many_tries'

    def __init__(self, policy: Policy, retry_after: int) -> None:
        super().__init__(
            f'Too many tries, please try again in {retry_after} seconds', retry_after=retry_after
        )
        self.status = RateLimitStatus(policy=policy, remaining=0, reset=retry_after)


class RateLimiter:

    def __init__(
        self,
        unit_of_work: Callable[[], LimitsUnitOfWork],
        pseudonym: Callable[[str], str],
        notify: Callable[[Policy], None] = lambda policy: None
    ) -> None:
        """`pseudonym` is a keyed hash: neither e-mail addresses nor networks are stored.

        `notify` is called with the policy that refuses a try.
        """
        self._unit_of_work = unit_of_work
        self._pseudonym = pseudonym
        self._notify = notify

    def admit(self, limit: Limit, actor: Actor, subject: str, now: datetime) -> Admission:
        """Count a try, across all processes. Raises Refused without counting."""
        network = limited_network(actor.address)
        known_key = self._known_key(subject, network)
        with self._unit_of_work() as uow:
            known = limit.remembers_networks and _is_known(uow, known_key, now)
            charges = [Charge(policy=limit.network, key=self._pseudonym(network))]
            if limit.subject is not None:
                charges.append(Charge(policy=limit.subject, key=self._pseudonym(subject), refuses=not known))
                if known:
                    charges.append(Charge(policy=limit.subject, key=known_key))
            counters = uow.counters.lock([charge.name for charge in charges], now)
            self._refuse_if_blocked(charges, counters, now)
            for charge, counter in zip(charges, counters):
                counter.take(charge.policy, now)
            uow.commit()
        return Admission(
            limit=limit,
            actor=actor,
            charges=charges,
            known_key=known_key,
            used_up=[
                charge for charge, counter in zip(charges, counters) if counter.count >= charge.policy.quota
            ],
            status=RateLimitStatus(
                policy=limit.network,
                remaining=max(0, limit.network.quota - counters[0].count),
                reset=_seconds_until(counters[0].expires_at, now),
            ),
        )

    def settle(self, admission: Admission, error: BaseException | None, now: datetime) -> None:
        """Record the outcome of a try; no error means success."""
        if not admission.limit.counts(error):
            self._refund(admission, succeeded=error is None, now=now)
        elif admission.used_up:
            with self._unit_of_work() as uow:
                for charge in admission.used_up:
                    details = {'policy': charge.policy.name, 'key': charge.key[:16]}
                    record(uow.audit, EventKind.LIMIT_REACHED, admission.actor, now, details=details)
                uow.commit()

    def remember_network(self, actor: Actor, subject: str, now: datetime) -> None:
        """Mark the network as known for the subject, after an authentication without a try."""
        name = KNOWN_NETWORK, self._known_key(subject, limited_network(actor.address))
        with self._unit_of_work() as uow:
            known, = uow.counters.lock([name], now)
            known.expires_at = now + KNOWN_FOR
            uow.commit()

    def _refuse_if_blocked(self, charges: list[Charge], counters: list[Counter], now: datetime) -> None:
        blocked = [(counter.blocked_until, charge.policy) for charge, counter in zip(charges, counters)
                   if charge.refuses and counter.is_blocked(charge.policy, now)]
        if blocked:
            until, policy = max(blocked, key=lambda each: each[0])
            self._notify(policy)
            raise Refused(policy, _seconds_until(until, now))

    def _known_key(self, subject: str, network: str) -> str:
        return self._pseudonym(f'{subject}\n{network}')

    def _refund(self, admission: Admission, *, succeeded: bool, now: datetime) -> None:
        charges = admission.charges
        remembered = succeeded and admission.limit.remembers_networks
        names = [charge.name for charge in charges]
        if remembered:
            names.append((KNOWN_NETWORK, admission.known_key))
        with self._unit_of_work() as uow:
            counters = uow.counters.lock(names, now)
            # Success also refunds the earlier failures. Not those of the network: an attacker with an account
            # could reset them between guesses.
            tries = counters[len(charges) - 1].count if succeeded and len(charges) > 1 else 1
            for charge, counter in zip(charges, counters):
                counter.refund(1 if charge is charges[0] else tries, charge.policy, now)
            if remembered:
                counters[-1].expires_at = now + KNOWN_FOR
            uow.commit()


def _is_known(uow: LimitsUnitOfWork, known_key: str, now: datetime) -> bool:
    known = uow.counters.get((KNOWN_NETWORK, known_key))
    return known is not None and known.expires_at > now


def _seconds_until(time: datetime, now: datetime) -> int:
    return max(1, math.ceil((time - now).total_seconds()))
