"""words of projects

The search vector folds accents and the like, and has pairs of letters where a language has no spaces. A trigger
makes it, so that a new way of folding needs no new column. It also has what the generated column had, which the
previous release looks for.

Existing projects are indexed some at a time, each time in a transaction of its own, so that nobody waits long for a
row. It can be run again from anywhere in between.
"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '8c2f5d91e7a4'
down_revision: str | None = '4e8a1d7c2f96'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 20

# With the quote doubled.
_SEPARATORS = '!"#$%&\'\'()*+,-./:;<=>?@[\\]^_`{|}~\u00a0«»·¡¿‐‑‒–—―‘’‚“”„†•…‹›、。「」『』，．：；！？（）'
_SEPARATORS_LENGTH = len(_SEPARATORS) - 1
_DROPPED = (
    r'\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c\u0640'
    r'\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff'
    r'\u1ab0-\u1aff\u1dc0-\u1dff\u200b\u200d-\u200f\u2060\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff'
)
_UNSPACED = (
    r'\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d\u1780-\u17d3\u17dc'
    r'\u17dd\u3005-\u3007\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf'
    r'\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f\uf900-\ufaff'
    r'\U00020000-\U0003ffff'
)
_FUNCTIONS = [
    rf"""
    CREATE OR REPLACE FUNCTION split_words(value text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT to_tsvector('simple', translate(
            regexp_replace(
                regexp_replace(value, '(?<=[a-z0-9])\+\+', 'zpzp', 'g'), '(?<=[a-z0-9])#(?![a-z0-9])', 'zs', 'g'
            ), '{_SEPARATORS}', repeat(' ', {_SEPARATORS_LENGTH})
        ))
    $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION fold_text(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT normalize(translate(
            replace(replace(replace(replace(
                lower(regexp_replace(normalize(value, NFKD), '[{_DROPPED}]+', '', 'g')),
                'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
            'ςøłđðħŧŋı\u200c', 'σolddhtni '
        ), NFC)
    $$
    """,
    rf"""
    CREATE OR REPLACE FUNCTION words_of(value text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        lowered text := lower(value);
        folded text := lowered;
    BEGIN
        IF octet_length(value) <> length(value) THEN
            folded := regexp_replace(fold_text(value), '[{_UNSPACED}]+', ' \& ', 'g');
            -- Of `abc` without spaces: `a`, `ab`, `bc`, `c`.
            folded := regexp_replace(folded, '[{_UNSPACED}]', '\& \&', 'g');
        END IF;
        RETURN split_words(lowered) || CASE WHEN folded = lowered THEN '' ELSE split_words(folded) END;
    END
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION index_project() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        words tsvector := setweight(words_of(NEW.title), 'A')
            || setweight(words_of(array_to_string(NEW.tags, ' ')), 'B')
            || setweight(words_of(coalesce(NEW.summary, NEW.excerpt, '')), 'C');
    BEGIN
        NEW.search := words || setweight(words_of(NEW.body), 'D');
        RETURN NEW;
    EXCEPTION WHEN program_limit_exceeded THEN
        -- A vector has at most 1 MiB. Only a text that is made for it has more.
        NEW.search := words || setweight(split_words(lower(NEW.body)), 'D');
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE OR REPLACE TRIGGER index_project
        BEFORE INSERT OR UPDATE OF title, tags, summary, excerpt, body, search ON projects
        FOR EACH ROW EXECUTE FUNCTION index_project()
    """,
]


def _generated(column: str) -> str:
    text = f'lower({column})'
    for pattern, letters in ((r'(?<=[a-z0-9])\+\+', 'zpzp'), (r'(?<=[a-z0-9])#(?![a-z0-9])', 'zs')):
        text = f"regexp_replace({text}, '{pattern}', '{letters}', 'g')"
    return f"to_tsvector('simple', translate({text}, '{_SEPARATORS}', '{' ' * _SEPARATORS_LENGTH}'))"


# As the column was before.
_SUMMARY = "coalesce(summary, excerpt, '')"
_GENERATED = (
    f"setweight({_generated('title')}, 'A') || setweight(array_to_tsvector(tags), 'B') || "
    f"setweight({_generated(_SUMMARY)}, 'C') || setweight({_generated('body')}, 'D')"
)
_CHANGES = """
    CREATE CONSTRAINT TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON projects
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {} EXECUTE FUNCTION record_project_change()
"""
# A new index is no change that followers must learn.
_NOT_INDEXING = "WHEN (current_setting('talelio.indexing', true) IS DISTINCT FROM 'on')"


def upgrade() -> None:
    op.execute('ALTER TABLE projects ALTER COLUMN search DROP EXPRESSION IF EXISTS')
    for function in _FUNCTIONS:
        op.execute(function)
    op.execute('DROP TRIGGER record_change ON projects')
    op.execute(_CHANGES.format(_NOT_INDEXING))
    with op.get_context().autocommit_block():
        # Finding the texts reads all of them.
        op.execute('SET statement_timeout = 0')
        _index(op.get_bind())
        op.execute("SET statement_timeout = '5min'")


def downgrade() -> None:
    op.execute('DROP TRIGGER record_change ON projects')
    op.execute(_CHANGES.format(''))
    op.execute('DROP TRIGGER index_project ON projects')
    for function in 'index_project()', 'words_of(text)', 'fold_text(text)', 'split_words(text)':
        op.execute(f'DROP FUNCTION {function}')
    op.drop_column('projects', 'search')
    op.add_column(
        'projects', sa.Column('search', postgresql.TSVECTOR(), sa.Computed(_GENERATED, persisted=True))
    )
    op.create_index(
        'ix_projects_search',
        'projects', [sa.text("(search || array_to_tsvector(ARRAY['@'::text || user_id::text]))")],
        postgresql_using='gin'
    )


def _index(connection: sa.Connection) -> None:
    # Nothing changes for a text of ASCII alone.
    changing = sa.text(
        """
        SELECT id FROM projects
        WHERE id > :last AND (
            tags <> '{}' OR octet_length(concat(title, summary, excerpt)) <> length(concat(title, summary, excerpt))
            OR octet_length(body) <> length(body)
        )
        ORDER BY id LIMIT :batch
        """
    )
    index = sa.text('UPDATE projects SET search = NULL WHERE id = ANY(:ids)')
    # Tags that were made of a capital İ had a dot too many, and are asked for without it from now on.
    connection.execute(
        sa.text(
            """
            UPDATE projects SET tags = ARRAY(
                SELECT replace(tag, U&'i\\0307', 'i') FROM unnest(tags) WITH ORDINALITY AS given (tag, place)
                GROUP BY 1 ORDER BY min(place)
            )
            WHERE array_to_string(tags, '') LIKE U&'%i\\0307%'
            """
        )
    )
    connection.execute(sa.text("SET talelio.indexing = 'on'"))
    last = 0
    while ids := connection.scalars(changing, {'last': last, 'batch': _BATCH}).all():
        connection.execute(index, {'ids': ids})
        last = ids[-1]
    connection.execute(sa.text('RESET talelio.indexing'))
