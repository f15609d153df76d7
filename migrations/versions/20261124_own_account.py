"""password resets, changes of address"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'e2a94c07b851'
down_revision: str | None = 'e7c3a91d5b60'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'email_changes', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('old_email', sa.Text(), nullable=False), sa.Column('new_email', sa.Text(), nullable=False),
        sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['account_id'], ['accounts.id'],
                                name=op.f('fk_email_changes_account_id_accounts'),
                                ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_email_changes'))
    )
    op.create_index(op.f('ix_email_changes_account_id'), 'email_changes', ['account_id'], unique=False)
    op.add_column('accounts', sa.Column('reset_requested_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('accounts', 'reset_requested_at')
    op.drop_index(op.f('ix_email_changes_account_id'), table_name='email_changes')
    op.drop_table('email_changes')
