"""documents of projects

A trigger writes the JSON that readers get, so that reading takes neither many columns nor serialisation. Whatever wrote
a row, the previous release or a statement by hand, the row has its document.

Existing projects get theirs some at a time, each time in a transaction of its own, so that nobody waits long for a row.
It can be run again from anywhere in between.
"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'c41d7be05f93'
down_revision: str | None = '8c2f5d91e7a4'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 50


def _utc(column: str) -> str:
    return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


# JSONB as text has a space after each colon and comma. Those within strings stay: a string has no quote without a
# backslash before it.
_TOC = 'NEW.toc::text'
for _spaced in '"id": ', ', "text": ', ', "children": ', '}, {"id":':
    _TOC = f"replace({_TOC}, '{_spaced}', '{_spaced.replace(' ', '')}')"

# The order is that of the API. The end lacks `url`, which depends on the settings, and the brace.
_FUNCTION = rf"""
    CREATE OR REPLACE FUNCTION write_project_document() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT left(row_to_json(project)::text, -1) INTO NEW.document
        FROM (
            SELECT
                NEW.id,
                NEW.user_id,
                {_utc('NEW.created_at')} AS created_at,
                {_utc('NEW.updated_at')} AS updated_at,
                NEW.title,
                NEW.body,
                NEW.html,
                NEW.slug,
                coalesce(nullif(NEW.summary, ''), NEW.excerpt, '') AS summary,
                NEW.status,
                {_utc('NEW.published_at')} AS published_at,
                NEW.tags,
                NEW.cover_image,
                NEW.position,
                CASE jsonb_typeof(NEW.toc)
                    WHEN 'array' THEN {_TOC}
                    ELSE '[]'
                END::json AS toc,
                -- 238 words a minute is the average silent reading speed of adults in English:
                -- https://doi.org/10.1016/j.jml.2019.104047
                greatest(1, ceil(
                    coalesce(NEW.words, cardinality(regexp_split_to_array(trim(NEW.body), '\s+'))) / 238.0
                ))::integer AS reading_time_minutes
        ) AS project;
        RETURN NEW;
    END
    $$
"""
_TRIGGER = """
    CREATE OR REPLACE TRIGGER write_document BEFORE INSERT OR UPDATE ON projects
    FOR EACH ROW EXECUTE FUNCTION write_project_document()
"""


def upgrade() -> None:
    op.execute('ALTER TABLE projects ADD COLUMN IF NOT EXISTS document text')
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)
    with op.get_context().autocommit_block():
        _write_documents(op.get_bind())


def downgrade() -> None:
    op.execute('DROP TRIGGER write_document ON projects')
    op.execute('DROP FUNCTION write_project_document()')
    op.drop_column('projects', 'document')


def _write_documents(connection: sa.Connection) -> None:
    missing = sa.text(
        'SELECT id FROM projects WHERE id > :last AND document IS NULL ORDER BY id LIMIT :batch'
    )
    # The trigger ignores the value.
    write = sa.text('UPDATE projects SET document = NULL WHERE id = ANY(:ids)')
    # Followers need not learn of it.
    connection.execute(sa.text("SET talelio.indexing = 'on'"))
    last = 0
    while ids := connection.scalars(missing, {'last': last, 'batch': _BATCH}).all():
        connection.execute(write, {'ids': ids})
        last = ids[-1]
    connection.execute(sa.text('RESET talelio.indexing'))
