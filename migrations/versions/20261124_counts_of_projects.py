"""counts of projects"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'c4d81f7a2e93'
down_revision: str | None = 'b3d81f0c56e7'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FUNCTION = """
CREATE FUNCTION count_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO project_counts AS kept (user_id, total, drafts, published)
        SELECT user_id, count(*), count(*) FILTER (WHERE status = 'draft'),
            count(*) FILTER (WHERE status = 'published' AND published_at IS NOT NULL)
        FROM new_rows GROUP BY user_id ORDER BY user_id
        ON CONFLICT (user_id) DO UPDATE SET total = kept.total + excluded.total,
            drafts = kept.drafts + excluded.drafts, published = kept.published + excluded.published;
    ELSIF TG_OP = 'DELETE' THEN
        -- Where the user goes too, there may be no row left.
        UPDATE project_counts AS kept SET total = kept.total - gone.total,
            drafts = kept.drafts - gone.drafts, published = kept.published - gone.published
        FROM (
            SELECT user_id, count(*) AS total, count(*) FILTER (WHERE status = 'draft') AS drafts,
                count(*) FILTER (WHERE status = 'published' AND published_at IS NOT NULL) AS published
            FROM old_rows GROUP BY user_id ORDER BY user_id
        ) AS gone
        WHERE kept.user_id = gone.user_id;
    ELSE
        -- Most changes change none of it, and lock nothing.
        INSERT INTO project_counts AS kept (user_id, total, drafts, published)
        SELECT user_id, sum(one), coalesce(sum(one) FILTER (WHERE status = 'draft'), 0),
            coalesce(sum(one) FILTER (WHERE status = 'published' AND published_at IS NOT NULL), 0)
        FROM (
            SELECT user_id, status, published_at, 1 AS one FROM new_rows
            UNION ALL
            SELECT user_id, status, published_at, -1 FROM old_rows
        ) AS changed
        GROUP BY user_id
        HAVING sum(one) <> 0 OR coalesce(sum(one) FILTER (WHERE status = 'draft'), 0) <> 0
            OR coalesce(sum(one) FILTER (WHERE status = 'published' AND published_at IS NOT NULL), 0) <> 0
        ORDER BY user_id
        ON CONFLICT (user_id) DO UPDATE SET total = kept.total + excluded.total,
            drafts = kept.drafts + excluded.drafts, published = kept.published + excluded.published;
    END IF;
    RETURN NULL;
END
$$
"""
_TRIGGERS = [
    f'CREATE TRIGGER count_{action.lower()} AFTER {action} ON projects REFERENCING {rows} '
    'FOR EACH STATEMENT EXECUTE FUNCTION count_projects()' for action, rows in (
        ('INSERT', 'NEW TABLE AS new_rows'),
        ('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'),
        ('DELETE', 'OLD TABLE AS old_rows'),
    )
]


def upgrade() -> None:
    op.create_table(
        'project_counts',
        sa.Column('user_id', sa.Integer(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text('0'), nullable=False)
            for name in ('total', 'drafts', 'published')
        ),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'],
                                name=op.f('fk_project_counts_user_id_users'),
                                ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('user_id', name=op.f('pk_project_counts')),
    )
    op.execute(_FUNCTION)
    # From here on nobody writes projects until the end, so that none is missed or counted twice: a second or
    # two for a million.
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.execute(
        """
        INSERT INTO project_counts (user_id, total, drafts, published)
        SELECT user_id, count(*), count(*) FILTER (WHERE status = 'draft'),
            count(*) FILTER (WHERE status = 'published' AND published_at IS NOT NULL)
        FROM projects GROUP BY user_id
        """
    )


def downgrade() -> None:
    for action in ('insert', 'update', 'delete'):
        op.execute(f'DROP TRIGGER count_{action} ON projects')
    op.execute('DROP FUNCTION count_projects()')
    op.drop_table('project_counts')
