from collections.abc import Callable
from datetime import datetime

from talelio_backend.app_account.business.rate_limit_policies import POLICIES
from talelio_backend.observability.metrics.sharing import counter
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.rate_limits.business.limiter import Admission, RateLimiter, Refused
from talelio_backend.shared.rate_limits.business.limits import Limit, LimitsUnitOfWork


class SecurityMetrics:

    def __init__(self) -> None:
        self._events = counter(
            'talelio_security_events',
            'Events of the audit trail, such as login.succeeded, login.failed and login.refused', ('event', )
        )
        self.refused = counter('talelio_rate_limit_refusals', 'Responses with 429, by policy', ('policy', ))
        # Start at 0, so that the first increase is visible.
        for kind in EventKind:
            self._events.labels(kind.value)
        for policy in POLICIES:
            self.refused.labels(policy.name)

    def count_event(self, kind: EventKind) -> None:
        self._events.labels(kind.value).inc()


class MeasuredRateLimiter(RateLimiter):

    def __init__(
        self, unit_of_work: Callable[[], LimitsUnitOfWork], pseudonym: Callable[[str], str],
        metrics: SecurityMetrics
    ) -> None:
        super().__init__(unit_of_work, pseudonym)
        self._metrics = metrics

    def admit(self, limit: Limit, actor: Actor, subject: str, now: datetime) -> Admission:
        try:
            return super().admit(limit, actor, subject, now)
        except Refused as error:
            self._metrics.refused.labels(error.status.policy.name).inc()
            raise
