"""Compares the schema of the database with the one that this release requires."""
import re
from ast import literal_eval
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.engine import is_transient

_UNDEFINED_TABLE = '42P01'

_QUERY = text(
    "SELECT version_num, current_setting('transaction_read_only') AS read_only FROM alembic_version"
)

# Importing Alembic would cost 10 MB in each worker process.
_REVISION = re.compile(r'^(revision|down_revision)\b[^=\n]*= (.+)$', re.MULTILINE)


class SchemaVersion:

    def __init__(self, engine: Engine, migrations: Path) -> None:
        self._engine = engine
        revisions, self._older = _read_revisions(migrations)
        # A test asserts that there is exactly one.
        self.head = (revisions - self._older).pop()

    def check(self) -> None:
        """Raises Unavailable if the database does not respond, or its schema is too old.

        An unknown revision is a newer one: a roll-out migrates first, while the previous release serves.
        """
        current = self.current()
        if self.is_older(current):
            raise Unavailable(f'The database schema is at {current}, not at {self.head}: migrate it')

    def current(self) -> str | None:
        """Return the database's revision, or None if it was never migrated. Raises Unavailable."""
        try:
            with self._engine.connect() as connection:
                row = connection.execute(_QUERY).first()
        except (DBAPIError, PoolTimeout) as error:
            if is_transient(error):
                raise Unavailable('The database is not available') from error
            if getattr(getattr(error, 'orig', None), 'pgcode', None) != _UNDEFINED_TABLE:
                raise
            return None
        if row is None:
            return None
        if row.read_only == 'on':
            # After a failover, all connections of the pool may lead to what has become a standby.
            self._engine.dispose()
            raise Unavailable('The database is read-only')
        revision: str = row.version_num
        return revision

    def is_older(self, revision: str | None) -> bool:
        return revision is None or revision in self._older


def _read_revisions(migrations: Path) -> tuple[set[str], set[str]]:
    """Return all revisions, and those that have a successor."""
    revisions: set[str] = set()
    older: set[str] = set()
    for file in (migrations / 'versions').glob('*.py'):
        found = dict(_REVISION.findall(file.read_text(encoding='utf-8')))
        revisions.add(literal_eval(found['revision']))
        before = literal_eval(found['down_revision'])
        # A merge of two branches has two predecessors.
        older.update(before if isinstance(before, tuple) else {before} - {None})
    return revisions, older
