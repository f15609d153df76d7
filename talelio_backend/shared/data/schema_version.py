"""Compares the database's schema with the one that this code was written for."""
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.database import is_passing_trouble

_UNDEFINED_TABLE = '42P01'


class SchemaVersion:

    def __init__(self, engine: Engine, migrations: Path) -> None:
        self._engine = engine
        revisions = list(ScriptDirectory(str(migrations)).walk_revisions())
        self.head = revisions[0].revision
        self._older = {revision.revision for revision in revisions[1:]}

    def check(self) -> None:
        """Raises Unavailable when the database does not answer, or its schema is older than this code.

        A revision that this code does not know is a newer one: during a roll-out the migration runs
        first, and the release before it goes on serving.
        """
        current = self.current()
        if self.is_older(current):
            raise Unavailable(f'The database schema is at {current}, not at {self.head}: migrate it')

    def current(self) -> str | None:
        """The database's revision; None where it was never migrated. Raises Unavailable."""
        try:
            with self._engine.connect() as connection:
                revision: str | None = connection.scalar(text('SELECT version_num FROM alembic_version'))
        except (DBAPIError, PoolTimeout) as error:
            if is_passing_trouble(error):
                raise Unavailable('The database is not available') from error
            if getattr(getattr(error, 'orig', None), 'pgcode', None) != _UNDEFINED_TABLE:
                raise
            return None
        return revision

    def is_older(self, revision: str | None) -> bool:
        return revision is None or revision in self._older
