"""What the audit trail is to hold after a use case."""
from datetime import timedelta

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.shared.audit.business.audit_trail import EventKind, SecurityEvent
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import NOW

# When the use case that is looked at takes place, after all that made it possible.
LATER = NOW + timedelta(minutes=1)


def assert_recorded(
    uow: FakeUnitOfWork,
    kind: EventKind,
    account: Account | None,
    *,
    by_account: bool = True
) -> SecurityEvent:
    """That this, and nothing else, is what was recorded last."""
    event = uow.store.events[max(uow.store.events)]
    account_id = None if account is None else account.id
    assert (event.kind, event.occurred_at, event.account_id) == (kind, LATER, account_id)
    assert (event.address, event.user_agent, event.request_id) == ('192.0.2.7', 'curl/8', 'request-1')
    assert event.actor == (f'account {account_id}' if by_account else 'anonymous')
    return event
