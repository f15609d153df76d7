"""audit trail, disabled accounts"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = 'b1f6d04a7c92'
down_revision: str | None = 'd4a8e2b6f013'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'security_events', sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('kind', sa.String(40), nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=True), sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('address', sa.Text(), nullable=True), sa.Column('network', sa.Text(), nullable=True),
        sa.Column('user_agent', sa.Text(), nullable=True), sa.Column('request_id', sa.Text(), nullable=True),
        sa.Column('details', postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_security_events'))
    )
    op.create_index(op.f('ix_security_events_occurred_at'), 'security_events', ['occurred_at'], unique=False)
    op.create_index(
        'ix_security_events_account_id_occurred_at',
        'security_events', ['account_id', 'occurred_at'],
        unique=False
    )
    op.create_index(
        'ix_security_events_occurred_at_address',
        'security_events', ['occurred_at'],
        unique=False,
        postgresql_where=sa.text('address IS NOT NULL')
    )
    op.add_column('accounts', sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('accounts', 'disabled_at')
    op.drop_index('ix_security_events_occurred_at_address', table_name='security_events')
    op.drop_index('ix_security_events_account_id_occurred_at', table_name='security_events')
    op.drop_index(op.f('ix_security_events_occurred_at'), table_name='security_events')
    op.drop_table('security_events')
