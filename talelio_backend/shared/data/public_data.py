"""Tells whoever listens that what everybody may read has changed, from within the change's own transaction.

Why it is done this way: .github/decisions/0024-kept-answers.md.
"""
from sqlalchemy import DDL, Table, event

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


def tell_of(table: Table) -> None:
    """Have each change of the table told at its commit; for tables that answers to everybody are made of."""
    trigger = DDL(_TRIGGER.format(table=table.name))  # type: ignore[no-untyped-call]
    event.listen(table, 'after_create', trigger)
