"""idempotency"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = 'b7d24c6f0a91'
down_revision: str | None = '9c5f2b8e1d37'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'idempotency_claims', sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column('scope', sa.Text(), nullable=False), sa.Column('key', sa.Text(), nullable=False),
        sa.Column('fingerprint', sa.Text(), nullable=False), sa.Column('holder', sa.Uuid(), nullable=False),
        sa.Column('lease_ends_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('headers', postgresql.JSONB(), nullable=True),
        sa.Column('content', sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_idempotency_claims'))
    )
    op.create_index('uq_idempotency_claims_scope_key', 'idempotency_claims', ['scope', 'key'], unique=True)
    op.create_index('ix_idempotency_claims_expires_at', 'idempotency_claims', ['expires_at'], unique=False)


def downgrade() -> None:
    op.drop_table('idempotency_claims')
