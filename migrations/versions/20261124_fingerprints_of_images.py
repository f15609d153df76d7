"""fingerprints of images"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '7b1f0c5e9a24'
down_revision: str | None = 'e2b87c4f9d15'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute('SET lock_timeout = 0')
        op.execute('SET statement_timeout = 0')
        # What an earlier try may have left is invalid.
        op.execute('DROP INDEX CONCURRENTLY IF EXISTS ix_images_fingerprint')
        op.create_index(
            'ix_images_fingerprint',
            'images', ['user_id', sa.text('"left"(digest, 32)')],
            postgresql_where=sa.text('deleted_at IS NULL'),
            postgresql_concurrently=True
        )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '5min'")


def downgrade() -> None:
    op.drop_index('ix_images_fingerprint', table_name='images')
