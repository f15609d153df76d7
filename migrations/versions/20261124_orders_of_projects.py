"""orders of projects"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'f2b94d6c8e17'
down_revision: str | None = 'e7c31a9d5b20'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ORDERS = {
    'title': 'lower(title)',
    'position': 'position',
    'published_at': 'coalesce(published_at, created_at)',
    'updated_at': 'coalesce(updated_at, created_at)',
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute('SET lock_timeout = 0')
        op.execute('SET statement_timeout = 0')
        for name, value in _ORDERS.items():
            # What an earlier try may have left is invalid.
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS ix_projects_{name}')
            op.create_index(
                f'ix_projects_{name}',
                'projects', ['user_id', sa.literal_column(value), 'id'],
                postgresql_concurrently=True
            )
        for name in ('search', 'tags'):
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS ix_projects_{name}')
            op.create_index(
                f'ix_projects_{name}',
                'projects', [name],
                postgresql_using='gin',
                postgresql_concurrently=True
            )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '5min'")


def downgrade() -> None:
    for name in ('tags', 'search', *reversed(_ORDERS)):
        op.drop_index(f'ix_projects_{name}', table_name='projects')
