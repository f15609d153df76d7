"""rate limits"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'd27c0e915b3f'
down_revision: str | None = 'b1f6d04a7c92'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'rate_limit_counters', sa.Column('policy', sa.Text(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False), sa.Column('count', sa.Integer(), nullable=False),
        sa.Column('blocked_until', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('policy', 'key', name=op.f('pk_rate_limit_counters'))
    )
    op.create_index(
        op.f('ix_rate_limit_counters_expires_at'), 'rate_limit_counters', ['expires_at'], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f('ix_rate_limit_counters_expires_at'), table_name='rate_limit_counters')
    op.drop_table('rate_limit_counters')
