"""images"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '9c5f2b8e1d37'
down_revision: str | None = '431704c07916'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'images', sa.Column('id', sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('digest', sa.Text(), nullable=False), sa.Column('kind', sa.String(20), nullable=False),
        sa.Column('width', sa.Integer(), nullable=False), sa.Column('height', sa.Integer(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('variant_widths', postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column('placeholder', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name='fk_images_user_id_users',
                                ondelete='CASCADE'), sa.PrimaryKeyConstraint('id', name=op.f('pk_images')),
        sa.UniqueConstraint('user_id', 'digest', name=op.f('uq_images_user_id_digest'))
    )
    op.create_index(op.f('ix_images_user_id_id'), 'images', ['user_id', 'id'], unique=False)
    op.add_column('users', sa.Column('avatar_digest', sa.Text(), nullable=True))
    op.drop_column('users', 'avatar_url')


def downgrade() -> None:
    # The rows that are there need a value, later ones bring their own.
    op.add_column('users', sa.Column('avatar_url', sa.Text(), nullable=False, server_default='default.jpg'))
    op.alter_column('users', 'avatar_url', server_default=None)
    op.drop_column('users', 'avatar_digest')
    op.drop_index(op.f('ix_images_user_id_id'), table_name='images')
    op.drop_table('images')
