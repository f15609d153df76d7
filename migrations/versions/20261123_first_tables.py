"""first tables"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '431704c07916'
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'accounts', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('email', sa.Text(), nullable=False), sa.Column('password_hash', sa.Text(), nullable=False),
        sa.Column('verified', sa.Boolean(), nullable=False),
        sa.Column('link_serial', sa.Integer(), nullable=False),
        sa.Column('link_requested_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
        sa.UniqueConstraint('email', name='uq_accounts_email')
    )
    op.create_table(
        'outbox', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('message_id', sa.Uuid(), nullable=False), sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('status', sa.String(20), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('trying_since', sa.DateTime(timezone=True), nullable=False),
        sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('last_error', sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    op.create_index(
        'ix_outbox_due_at_pending',
        'outbox', ['due_at'],
        unique=False,
        postgresql_where=sa.text("status = 'pending'")
    )
    op.create_table(
        'users', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('username', sa.Text(), nullable=False), sa.Column('location', sa.Text(), nullable=False),
        sa.Column('avatar_url', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['accounts.id'],
                                name=op.f('fk_users_account_id_accounts'),
                                ondelete='CASCADE'), sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
        sa.UniqueConstraint('account_id', name=op.f('uq_users_account_id'))
    )
    op.create_index('uq_users_username_lower', 'users', [sa.literal_column('lower(username)')], unique=True)
    op.create_table(
        'projects', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('title', sa.Text(), nullable=False), sa.Column('body', sa.Text(), nullable=False),
        sa.Column('html', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'],
                                name='fk_projects_user_id_users',
                                ondelete='CASCADE'), sa.PrimaryKeyConstraint('id', name=op.f('pk_projects'))
    )
    op.create_index(op.f('ix_projects_user_id_id'), 'projects', ['user_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_projects_user_id_id'), table_name='projects')
    op.drop_table('projects')
    op.drop_index('uq_users_username_lower', table_name='users')
    op.drop_table('users')
    op.drop_index(
        'ix_outbox_due_at_pending', table_name='outbox', postgresql_where=sa.text("status = 'pending'")
    )
    op.drop_table('outbox')
    op.drop_table('accounts')
