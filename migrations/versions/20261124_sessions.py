"""sessions"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '5d3e8a61c0f4'
down_revision: str | None = 'b7d24c6f0a91'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'sessions', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('token_hash', sa.Text(), nullable=False),
        sa.Column('rotated_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('device', sa.Text(), nullable=False), sa.Column('address', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['accounts.id'],
                                name=op.f('fk_sessions_account_id_accounts'),
                                ondelete='CASCADE'), sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions'))
    )
    op.create_index(
        op.f('ix_sessions_account_id_last_used_at'), 'sessions', ['account_id', 'last_used_at'], unique=False
    )
    op.create_index(op.f('ix_sessions_expires_at'), 'sessions', ['expires_at'], unique=False)
    op.add_column('accounts', sa.Column('token_epoch', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    op.drop_column('accounts', 'token_epoch')
    op.drop_index(op.f('ix_sessions_expires_at'), table_name='sessions')
    op.drop_index(op.f('ix_sessions_account_id_last_used_at'), table_name='sessions')
    op.drop_table('sessions')
