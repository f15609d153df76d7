from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, LargeBinary, Table, Text, Uuid, delete
from sqlalchemy.dialects.postgresql import JSONB, insert

from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository
from talelio_backend.shared.idempotency.business.claims import IdempotencyClaim

claim_table = Table(
    'idempotency_claims',
    metadata,
    Column('id', BigInteger, Identity(always=True), primary_key=True),
    Column('scope', Text, nullable=False),
    Column('key', Text, nullable=False),
    Column('fingerprint', Text, nullable=False),
    Column('holder', Uuid, nullable=False),
    Column('lease_ends_at', INSTANT, nullable=False),
    Column('expires_at', INSTANT, nullable=False),
    # Set when the request is finished.
    Column('status', Integer),
    Column('headers', JSONB(none_as_null=True)),
    Column('content', LargeBinary),
)
Index('uq_idempotency_claims_scope_key', claim_table.c.scope, claim_table.c.key, unique=True)
Index('ix_idempotency_claims_expires_at', claim_table.c.expires_at)

_CLAIMED = ('scope', 'key', 'fingerprint', 'holder', 'lease_ends_at', 'expires_at')


class SqlAlchemyIdempotencyClaims(SqlAlchemyRepository[IdempotencyClaim]):
    """See `shared.idempotency.business.claims.IdempotencyClaims`."""

    entity = IdempotencyClaim
    table = claim_table

    def get_or_add(self, wanted: IdempotencyClaim) -> IdempotencyClaim:
        same_key = (claim_table.c.scope == wanted.scope, claim_table.c.key == wanted.key)
        while True:
            # Waits for a concurrent insert of the same key.
            self._session.execute(
                insert(claim_table).values({
                    name: getattr(wanted, name)
                    for name in _CLAIMED
                }).on_conflict_do_nothing()
            )
            there = self._find(*same_key, lock=True)
            if there is not None:
                return there
            # Deleted between the two statements.

    def delete_of_scope(self, scope: str) -> None:
        self._session.execute(delete(claim_table).where(claim_table.c.scope == scope))

    def delete_expired(self, now: datetime, limit: int) -> int:
        expired = self._batch(limit, claim_table.c.expires_at <= now)
        return self._execute(delete(claim_table).where(expired))
