"""The table of changes, with one row for each project. A trigger in the migrations writes it.

.github/decisions/0022-following.md explains the design.
"""
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Sequence, Table

from talelio_backend.shared.data.change_notifications import mark_public
from talelio_backend.shared.data.orm import INSTANT, metadata

# The key of the advisory lock for assigning numbers: 'changes' in ASCII.
LOCK = 0x6368616E676573

NUMBERS = Sequence('project_change_numbers', metadata=metadata)

change_table = Table(
    'project_changes',
    metadata,
    # No foreign keys: a removal outlives the project and its owner.
    Column('project_id', Integer, primary_key=True, autoincrement=False),
    Column('user_id', Integer, nullable=False),
    # Ascending. NULL for a scheduled project that has not been public yet.
    Column('number', BigInteger, unique=True),
    # When the number was assigned.
    Column('changed_at', INSTANT, nullable=False),
    Column('removed', Boolean, nullable=False),
    # When a scheduled project becomes public.
    Column('due_at', INSTANT),
    CheckConstraint('number IS NOT NULL OR due_at IS NOT NULL', name='number_or_due_at'),
    CheckConstraint('removed OR due_at IS NULL', name='due_at_of_removed'),
    Index(None, 'user_id', 'number'),
)
Index('ix_project_changes_due_at', change_table.c.due_at, postgresql_where=change_table.c.due_at.is_not(None))
Index('ix_project_changes_changed_at_removed', change_table.c.changed_at, postgresql_where='removed')

mark_public(change_table)
