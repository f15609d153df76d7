"""Tells whoever listens that what everybody may read has changed, from within the change's own transaction.

Why it is done this way: .github/decisions/0024-kept-answers.md.
"""
from sqlalchemy import DDL, Table, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from talelio_backend.shared.data.orm import metadata

CHANNEL = 'public_data'

# As the migration has it.
_FUNCTION = """
CREATE FUNCTION tell_public_data() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY public_data;
    RETURN NULL;
END
$$
"""
_TRIGGER = """
CREATE TRIGGER tell_public_data AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION tell_public_data()
"""

event.listen(metadata, 'before_create', DDL(_FUNCTION))  # type: ignore[no-untyped-call]

# Of a table's information: writing to it may change what everybody may read.
_IS_PUBLIC = 'is public'


def tell_of(table: Table) -> None:
    """Have each change of the table told at its commit; for tables that answers to everybody are made of."""
    table.info[_IS_PUBLIC] = True
    trigger = DDL(_TRIGGER.format(table=table.name))  # type: ignore[no-untyped-call]
    event.listen(table, 'after_create', trigger)


def takes_along_what_is_public(table: Table) -> None:
    """Where a row is deleted, the database deletes rows of a table that is told of, which tell of it."""
    table.info[_IS_PUBLIC] = True


class NotingSession(Session):
    """Knows whether it has written to what everybody may read."""

    has_written_public_data = False


def _note_flush(session: NotingSession, _context: UOWTransaction) -> None:
    for entity in (*session.new, *session.dirty, *session.deleted):
        if entity.__mapper__.local_table.info.get(_IS_PUBLIC):
            session.has_written_public_data = True


def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        table = getattr(state.statement, 'table', None)
        if isinstance(table, Table) and table.info.get(_IS_PUBLIC):
            assert isinstance(state.session, NotingSession)
            state.session.has_written_public_data = True


event.listen(NotingSession, 'after_flush', _note_flush)
event.listen(NotingSession, 'do_orm_execute', _note_statement)
