from talelio_backend.app_account.business.rate_limit_policies import POLICIES
from talelio_backend.observability.metrics.sharing import counter
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.rate_limits.business.limits import Policy


class SecurityMetrics:

    def __init__(self) -> None:
        self._events = counter(
            'talelio_security_events',
            'Events of the audit trail, such as login.succeeded, login.failed and login.refused', ('event', )
        )
        self._refused = counter('talelio_rate_limit_refusals', 'Responses with 429, by policy', ('policy', ))
        # Start at 0, so that the first increase is visible.
        for kind in EventKind:
            self._events.labels(kind.value)
        for policy in POLICIES:
            self._refused.labels(policy.name)

    def count_event(self, kind: EventKind) -> None:
        self._events.labels(kind.value).inc()

    def count_refusal(self, policy: Policy) -> None:
        self._refused.labels(policy.name).inc()
