"""slugs of projects

Fills in what the projects that are there lack, some at a time and each time in a transaction of its own, so
that nobody waits long for a row. It can be run again from anywhere in between.
"""
import re
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'd4a8e2b6f013'
down_revision: str | None = 'b1f0c7d25a94'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 500
_LENGTH = 80


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute('SET lock_timeout = 0')
        op.execute('SET statement_timeout = 0')
        # What an earlier try may have left is invalid. What has no slug yet does not count, and whether a
        # slug is free is then quickly seen.
        op.execute('DROP INDEX CONCURRENTLY IF EXISTS uq_projects_user_id_slug')
        op.create_index(
            'uq_projects_user_id_slug',
            'projects', ['user_id', 'slug'],
            unique=True,
            postgresql_concurrently=True
        )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '5min'")
        _fill(op.get_bind())


def downgrade() -> None:
    op.drop_index('uq_projects_user_id_slug', table_name='projects')


def _fill(connection: sa.Connection) -> None:
    lacking = sa.text(
        'SELECT id, title FROM projects WHERE slug IS NULL AND id > :last ORDER BY id LIMIT :batch'
    )
    # A slug that is taken gets the project's id. Even that may be another's title.
    fill = sa.text(
        """
        UPDATE projects SET published_at = created_at, slug = (
            SELECT possible FROM unnest(ARRAY[:slug, :slug_with_id, 'project-' || gen_random_uuid()])
                WITH ORDINALITY AS candidate (possible, place)
            WHERE NOT EXISTS (
                SELECT FROM projects other WHERE other.user_id = projects.user_id AND other.slug = possible
            )
            ORDER BY place LIMIT 1
        )
        WHERE id = :id
        """
    )
    last = 0
    while batch := connection.execute(lacking, {'last': last, 'batch': _BATCH}).all():
        for id_, title in batch:
            slug = _slug(title)
            slug_with_id = f'{slug[:_LENGTH - 12].rstrip("-")}-{id_}'
            connection.execute(fill, {'id': id_, 'slug': slug, 'slug_with_id': slug_with_id})
        last = batch[-1].id


def _slug(title: str) -> str:
    decomposed = unicodedata.normalize('NFKD', unicodedata.normalize('NFKD', title).casefold())
    kept, base = '', ''
    for character in decomposed:
        if unicodedata.category(character).startswith('M'):
            # Latin letters lose their accents. In other scripts a mark may be a vowel.
            kept += character if base and not base.isascii() else ''
        else:
            base = character if character.isalnum() else ''
            kept += base or '-'
    slug = re.sub('-+', '-', unicodedata.normalize('NFC', kept)).strip('-')
    if len(slug) > _LENGTH:
        slug = slug[:_LENGTH + 1].rpartition('-')[0] or slug[:_LENGTH]
    return slug or 'project'
