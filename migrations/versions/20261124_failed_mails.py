"""failed mails"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '4e8a1d7c2f96'
down_revision: str | None = '7b1f0c5e9a24'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute('SET lock_timeout = 0')
        op.execute('SET statement_timeout = 0')
        # What an earlier try may have left is invalid.
        op.execute('DROP INDEX CONCURRENTLY IF EXISTS ix_outbox_failed')
        op.create_index(
            'ix_outbox_failed',
            'outbox', ['id'],
            postgresql_where=sa.text("status = 'failed'"),
            postgresql_concurrently=True
        )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '5min'")


def downgrade() -> None:
    op.drop_index('ix_outbox_failed', table_name='outbox')
