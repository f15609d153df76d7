"""The changes of projects, one row a project, and the trigger that writes them.

Why it is done this way: .github/decisions/0022-changes.md.
"""
from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Sequence,
    Table,
    event,
)

from talelio_backend.app_project.data.project_table import project_table
from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.public_data import tell_of

# Of the advisory lock under which numbers are given: 'changes' in ASCII.
LOCK = 0x6368616E676573

NUMBERS = Sequence('project_change_numbers', metadata=metadata)

change_table = Table(
    'project_changes',
    metadata,
    # No foreign keys: what is told of a project outlives it and its owner.
    Column('project_id', Integer, primary_key=True, autoincrement=False),
    Column('user_id', Integer, nullable=False),
    # Later changes have greater ones. NULL: there is nothing to tell yet.
    Column('number', BigInteger, unique=True),
    # When the number was given.
    Column('changed_at', INSTANT, nullable=False),
    Column('removed', Boolean, nullable=False),
    # When it will become public by itself.
    Column('due_at', INSTANT),
    CheckConstraint('number IS NOT NULL OR due_at IS NOT NULL', name='number_or_due_at'),
    CheckConstraint('removed OR due_at IS NULL', name='due_at_of_removed'),
    Index(None, 'user_id', 'number'),
)
Index('ix_project_changes_due_at', change_table.c.due_at, postgresql_where=change_table.c.due_at.is_not(None))
Index('ix_project_changes_changed_at_removed', change_table.c.changed_at, postgresql_where='removed')

tell_of(change_table)

# As the migration has it.
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
# At the commit: nobody waits for the lock longer than that takes, and whoever has it waits for nobody.
_TRIGGER = """
CREATE CONSTRAINT TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON projects
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_project_change()
"""

# `%` would be taken for a placeholder.
event.listen(
    project_table,
    'after_create',
    DDL(_FUNCTION.replace('%', '%%'))  # type: ignore[no-untyped-call]
)
event.listen(project_table, 'after_create', DDL(_TRIGGER))  # type: ignore[no-untyped-call]
