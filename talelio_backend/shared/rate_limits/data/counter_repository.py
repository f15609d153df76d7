import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Column, Integer, Table, Text, delete
from sqlalchemy.dialects.postgresql import insert

from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository
from talelio_backend.shared.rate_limits.business.limits import Counter

counter_table = Table(
    'rate_limit_counters',
    metadata,
    Column('policy', Text, primary_key=True),
    Column('key', Text, primary_key=True),
    Column('count', Integer, nullable=False),
    Column('blocked_until', INSTANT, nullable=False),
    Column('expires_at', INSTANT, nullable=False, index=True),
)


def keyed_hash(secret_key: str) -> Callable[[str], str]:
    """Return a keyed hash. Without the key, a copy of the database does not reveal e-mail addresses."""
    # Derived like the keys of tokens, see jwt.py.
    key = hmac.digest(secret_key.encode(), b'talelio_backend:rate-limits\x01', 'sha256')
    return lambda text: hmac.digest(key, text.encode(), 'sha256').hex()


class SqlAlchemyCounterRepository(SqlAlchemyRepository[Counter]):
    """See `shared.rate_limits.business.limits.CounterRepository`."""

    entity = Counter
    table = counter_table

    def lock(self, names: Sequence[tuple[str, str]], now: datetime) -> list[Counter]:
        fresh = {'count': 0, 'blocked_until': now, 'expires_at': now}
        # A fixed order prevents deadlocks.
        new = [{'policy': policy, 'key': key, **fresh} for policy, key in sorted(names)]
        statement = insert(Counter).values(new)
        # The no-op update waits for the row's lock, takes it and returns the current state.
        locked = statement.on_conflict_do_update(
            index_elements=[counter_table.c.policy, counter_table.c.key],
            set_={
                'count': counter_table.c.count
            },
        ).returning(Counter)
        options = {'populate_existing': True}
        found = {(each.policy, each.key): each
                 for each in self._session.scalars(locked, execution_options=options)}
        return [found[name] for name in names]

    def delete_expired(self, now: datetime, limit: int) -> int:
        expired = self._batch(limit, counter_table.c.expires_at <= now)
        return self._execute(delete(counter_table).where(expired))
