"""newest of all projects"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'd9a52b6e0f41'
down_revision: str | None = 'c4d81f7a2e93'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute('SET lock_timeout = 0')
        op.execute('SET statement_timeout = 0')
        # What an earlier try may have left is invalid.
        op.execute('DROP INDEX CONCURRENTLY IF EXISTS ix_projects_published')
        op.create_index(
            'ix_projects_published',
            'projects', ['published_at', 'id'],
            postgresql_where=sa.text("status = 'published'"),
            postgresql_concurrently=True
        )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '5min'")


def downgrade() -> None:
    op.drop_index('ix_projects_published', table_name='projects')
