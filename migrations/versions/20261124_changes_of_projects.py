"""changes of projects"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'e7c3a91d5b60'
down_revision: str | None = 'e83a47c1f265'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FUNCTION = """
CREATE FUNCTION record_project_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    instant timestamptz := clock_timestamp();
    project integer;
    owner integer;
    was_public boolean := false;
    -- From when on it is public now, if ever.
    public_from timestamptz;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        project := OLD.id;
        owner := OLD.user_id;
        was_public := coalesce(OLD.status = 'published' AND OLD.published_at <= instant, false);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        project := NEW.id;
        owner := NEW.user_id;
        IF NEW.status = 'published' THEN
            public_from := NEW.published_at;
        END IF;
    END IF;
    -- Until the commit is there for everybody to see: so the order of the numbers is that of the commits.
    PERFORM pg_advisory_xact_lock(27980790367741299);
    was_public := was_public OR EXISTS (SELECT FROM project_changes WHERE project_id = project AND NOT removed);
    IF public_from <= instant OR was_public THEN
        INSERT INTO project_changes (project_id, user_id, number, changed_at, removed, due_at)
        VALUES (
            project, owner, nextval('project_change_numbers'), clock_timestamp(),
            (public_from <= instant) IS NOT TRUE,
            CASE WHEN public_from > instant THEN public_from END
        )
        ON CONFLICT (project_id) DO UPDATE SET
            number = excluded.number, changed_at = excluded.changed_at, removed = excluded.removed,
            due_at = excluded.due_at;
    ELSIF public_from IS NOT NULL THEN
        INSERT INTO project_changes (project_id, user_id, changed_at, removed, due_at)
        VALUES (project, owner, clock_timestamp(), true, public_from)
        ON CONFLICT (project_id) DO UPDATE SET due_at = excluded.due_at;
    ELSE
        DELETE FROM project_changes WHERE project_id = project AND number IS NULL;
        UPDATE project_changes SET due_at = NULL WHERE project_id = project AND due_at IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$
"""
_TRIGGER = """
CREATE CONSTRAINT TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON projects
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_project_change()
"""


def upgrade() -> None:
    op.execute('CREATE SEQUENCE project_change_numbers')
    op.create_table(
        'project_changes',
        sa.Column('project_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.BigInteger(), nullable=True),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('removed', sa.Boolean(), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            'number IS NOT NULL OR due_at IS NOT NULL', name=op.f('ck_project_changes_number_or_due_at')
        ),
        sa.CheckConstraint('removed OR due_at IS NULL', name=op.f('ck_project_changes_due_at_of_removed')),
        sa.PrimaryKeyConstraint('project_id', name=op.f('pk_project_changes')),
        sa.UniqueConstraint('number', name=op.f('uq_project_changes_number')),
    )
    op.create_index(op.f('ix_project_changes_user_id_number'), 'project_changes', ['user_id', 'number'])
    op.create_index(
        'ix_project_changes_due_at',
        'project_changes', ['due_at'],
        postgresql_where=sa.text('due_at IS NOT NULL')
    )
    op.create_index(
        'ix_project_changes_changed_at_removed',
        'project_changes', ['changed_at'],
        postgresql_where=sa.text('removed')
    )
    op.execute(_FUNCTION)
    # From here on nobody writes projects until the end, so that the rows below lack none. They are small:
    # a hundred thousand take half a second.
    op.execute(_TRIGGER)
    op.execute(
        """
        INSERT INTO project_changes (project_id, user_id, number, changed_at, removed, due_at)
        SELECT id, user_id, CASE WHEN published_at <= now() THEN nextval('project_change_numbers') END, now(),
            published_at > now(), CASE WHEN published_at > now() THEN published_at END
        FROM (
            SELECT * FROM projects WHERE status = 'published' AND published_at IS NOT NULL ORDER BY id
        ) AS published
        """
    )


def downgrade() -> None:
    op.execute('DROP TRIGGER record_change ON projects')
    op.execute('DROP FUNCTION record_project_change()')
    op.drop_table('project_changes')
    op.execute('DROP SEQUENCE project_change_numbers')
