"""projects: more fields"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = 'b1f0c7d25a94'
down_revision: str | None = '5d3e8a61c0f4'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column('projects', sa.Column('slug', sa.Text(), nullable=True))
    op.add_column('projects', sa.Column('summary', sa.Text(), nullable=True))
    op.add_column('projects', sa.Column('status', sa.String(20), nullable=False, server_default='published'))
    op.add_column('projects', sa.Column('published_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        'projects',
        sa.Column(
            'tags', postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'::text[]")
        )
    )
    op.add_column('projects', sa.Column('cover_image', sa.Text(), nullable=True))
    op.add_column(
        'projects', sa.Column('position', sa.Integer(), nullable=False, server_default=sa.text('0'))
    )
    op.add_column('projects', sa.Column('excerpt', sa.Text(), nullable=True))
    op.add_column('projects', sa.Column('toc', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('projects', sa.Column('words', sa.Integer(), nullable=True))
    op.add_column(
        'projects', sa.Column('rendering', sa.Integer(), nullable=False, server_default=sa.text('0'))
    )
    # For the rows to come, of the release before; a default that came with the column would be given to
    # those that are there, too. The next migration fills these in.
    op.alter_column('projects', 'slug', server_default=sa.text("('project-'::text || gen_random_uuid())"))
    op.alter_column('projects', 'published_at', server_default=sa.text('now()'))
    op.create_table(
        'old_slugs', sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('slug', sa.Text(), nullable=False), sa.Column('project_id', sa.Integer(), nullable=False),
        sa.Column('retired_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['project_id'], ['projects.id'],
                                name=op.f('fk_old_slugs_project_id_projects'),
                                ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'],
                                name=op.f('fk_old_slugs_user_id_users'),
                                ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('user_id', 'slug', name=op.f('pk_old_slugs'))
    )
    op.create_index(op.f('ix_old_slugs_project_id'), 'old_slugs', ['project_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_old_slugs_project_id'), table_name='old_slugs')
    op.drop_table('old_slugs')
    for column in (
        'rendering', 'words', 'toc', 'excerpt', 'position', 'cover_image', 'tags', 'published_at', 'status',
        'summary', 'slug'
    ):
        op.drop_column('projects', column)
