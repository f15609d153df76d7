"""whitelist"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'e83a47c1f265'
down_revision: str | None = 'd27c0e915b3f'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'whitelist', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('email', sa.Text(), nullable=False), sa.Column('note', sa.Text(), nullable=False),
        sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_whitelist')),
        sa.UniqueConstraint('email', name=op.f('uq_whitelist_email'))
    )


def downgrade() -> None:
    op.drop_table('whitelist')
