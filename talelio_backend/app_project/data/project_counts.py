"""How many projects a user has, a row a user, and the triggers that keep it exact.

Why it is done this way: .github/decisions/0028-counts-and-growth.md.
"""
from sqlalchemy import DDL, Column, ForeignKey, Integer, Table, event, text

from talelio_backend.app_project.data.project_table import project_table
from talelio_backend.shared.data.orm import metadata


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text('0'))


count_table = Table(
    'project_counts',
    metadata,
    Column('user_id', ForeignKey('users.id', ondelete='CASCADE'), primary_key=True, autoincrement=False),
    _number('total'),
    _number('drafts'),
    # Also from a time on that lies ahead.
    _number('published'),
)

# As the migration has it.
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

for _statement in (_FUNCTION, *_TRIGGERS):
    event.listen(project_table, 'after_create', DDL(_statement))  # type: ignore[no-untyped-call]
