"""Compares the database's schema with the one that this code was written for."""
import re
from ast import literal_eval
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.engine import is_transient

_UNDEFINED_TABLE = '42P01'

# Alembic itself, with its templates and what colours their errors, would take 10 MB of each server process.
_REVISION = re.compile(r'^(revision|down_revision)\b[^=\n]*= (.+)$', re.MULTILINE)


class SchemaVersion:

    def __init__(self, engine: Engine, migrations: Path) -> None:
        self._engine = engine
        revisions, self._older = _read_revisions(migrations)
        # A test holds that there is one.
        self.head = (revisions - self._older).pop()

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
            if is_transient(error):
                raise Unavailable('The database is not available') from error
            if getattr(getattr(error, 'orig', None), 'pgcode', None) != _UNDEFINED_TABLE:
                raise
            return None
        return revision

    def is_older(self, revision: str | None) -> bool:
        return revision is None or revision in self._older


def _read_revisions(migrations: Path) -> tuple[set[str], set[str]]:
    """All of them, and those that another one follows."""
    revisions: set[str] = set()
    older: set[str] = set()
    for file in (migrations / 'versions').glob('*.py'):
        found = dict(_REVISION.findall(file.read_text(encoding='utf-8')))
        revisions.add(literal_eval(found['revision']))
        before = literal_eval(found['down_revision'])
        # A migration that joins two branches follows both.
        older.update(before if isinstance(before, tuple) else {before} - {None})
    return revisions, older
