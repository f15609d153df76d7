"""search of one user"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'e2b87c4f9d15'
down_revision: str | None = 'd9a52b6e0f41'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_index('ix_projects_search', table_name='projects')
    op.create_index(
        'ix_projects_search',
        'projects', [sa.text("(search || array_to_tsvector(ARRAY['@'::text || user_id::text]))")],
        postgresql_using='gin'
    )


def downgrade() -> None:
    op.drop_index('ix_projects_search', table_name='projects')
    op.create_index('ix_projects_search', 'projects', ['search'], postgresql_using='gin')
