"""Stand-ins for what guards accounts: the audit trail, the counters of tries, the whitelist."""
from collections.abc import Sequence
from datetime import datetime

from talelio_backend.app_account.business.domain.account import WhitelistEntry
from talelio_backend.shared.audit.business.audit_trail import EventQuery, SecurityEvent
from talelio_backend.shared.rate_limits.business.limits import Counter
from tests.fakes.repository import FakeRepository
from tests.fakes.store import Store


class FakeAuditTrail:

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, event: SecurityEvent) -> None:
        event.id = next(self._store.ids)
        self._store.events[event.id] = event

    def find(self, query: EventQuery) -> list[SecurityEvent]:
        found = [
            event for event in self._store.events.values()
            if query.account_id in (None, event.account_id) and query.kind in (None, event.kind) and
            (query.since is None or event.occurred_at >= query.since)
        ]
        return sorted(found, key=lambda event: (event.occurred_at, event.id), reverse=True)[:query.limit]

    def forget_addresses(self, before: datetime, limit: int) -> int:
        old = [event for event in self._older(before) if event.address is not None][:limit]
        for event in old:
            event.address = None
        return len(old)

    def delete_before(self, before: datetime, limit: int) -> int:
        old = self._older(before)[:limit]
        for event in old:
            del self._store.events[event.id]
        return len(old)

    def _older(self, before: datetime) -> list[SecurityEvent]:
        events = sorted(self._store.events.values(), key=lambda event: event.occurred_at)
        return [event for event in events if event.occurred_at < before]


class FakeCounterRepository(FakeRepository[Counter]):

    table = 'counters'

    def lock(self, names: Sequence[tuple[str, str]], now: datetime) -> list[Counter]:
        for policy, key in names:
            if (policy, key) not in self._rows:
                new = Counter(policy=policy, key=key, count=0, blocked_until=now, expires_at=now)
                self._rows[policy, key] = new
        return [self._rows[name] for name in names]

    def delete_expired(self, now: datetime, limit: int) -> int:
        expired = [name for name, counter in self._rows.items() if counter.expires_at <= now][:limit]
        for name in expired:
            del self._rows[name]
        return len(expired)


class FakeWhitelist(FakeRepository[WhitelistEntry]):

    table = 'whitelist'

    def get_by_email(self, email: str) -> WhitelistEntry | None:
        return next((entry for entry in self._rows.values() if entry.email == email), None)

    get_by_email_for_update = get_by_email

    def all(self) -> list[WhitelistEntry]:
        return sorted(self._rows.values(), key=lambda entry: entry.email)
