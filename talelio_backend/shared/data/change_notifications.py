"""Tracks writes to public data: tables whose rows anonymous clients can see.

Rationale: .github/decisions/0024-response-cache.md.
"""
from sqlalchemy import Table, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

CHANNEL = 'public_data'

_IS_PUBLIC = 'is_public'


def mark_public(table: Table) -> None:
    """Mark a table whose changes may affect public data.

    A migration adds the trigger that sends the notifications. A table whose deletions cascade to such a
    table needs only the mark.
    """
    table.info[_IS_PUBLIC] = True


def is_public(table: Table) -> bool:
    return table.info.get(_IS_PUBLIC, False) is True


class ChangeTrackingSession(Session):

    has_written_public_data = False


def _note_flush(session: ChangeTrackingSession, _context: UOWTransaction) -> None:
    for entity in (*session.new, *session.dirty, *session.deleted):
        if is_public(entity.__mapper__.local_table):
            session.has_written_public_data = True


def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        table = getattr(state.statement, 'table', None)
        if isinstance(table, Table) and is_public(table):
            assert isinstance(state.session, ChangeTrackingSession)
            state.session.has_written_public_data = True


event.listen(ChangeTrackingSession, 'after_flush', _note_flush)
event.listen(ChangeTrackingSession, 'do_orm_execute', _note_statement)
