from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.sql import ClauseElement

_DIALECT = PGDialect_psycopg2()  # type: ignore[no-untyped-call]


class CompiledQuery:
    """A query that is built and compiled only once.

    Building a query and looking it up in SQLAlchemy's cache takes as long as the server takes to run it.
    Parameters and results have the driver's types.
    """

    def __init__(self, query: Executable, *, preceded_by: str = '') -> None:
        """`preceded_by` is SQL that is sent in the same round trip."""
        assert isinstance(query, ClauseElement)
        compiled = query.compile(dialect=_DIALECT)
        self._text = preceded_by + str(compiled)
        self._values: Mapping[str, Any] = compiled.params

    def rows(self, connection: Connection, **values: Any) -> Sequence[Sequence[Any]]:
        return connection.exec_driver_sql(self._text, {**self._values, **values}).all()

    def first(self, connection: Connection, **values: Any) -> Sequence[Any] | None:
        return connection.exec_driver_sql(self._text, {**self._values, **values}).first()
