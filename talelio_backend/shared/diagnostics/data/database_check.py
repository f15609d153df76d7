from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.data.schema_version import SchemaVersion
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status

_REMEDY = 'Correct DATABASE_URL (escape special characters as %XX) and allow connections from this machine'


def check_database(
    open_url: Callable[[], AbstractContextManager[str]], migrations: Path, *, server_migrates: bool
) -> str:
    """Connect and check the schema. `open_url` yields a SQLAlchemy URL. Raises CheckFailed.

    `server_migrates` means that the server migrates on start.
    """
    try:
        with open_url() as url:
            return _examine(url, migrations, server_migrates=server_migrates)
    except (SQLAlchemyError, Unavailable, ValueError) as error:
        raise CheckFailed(_reason(error), _REMEDY) from None
    except RuntimeError as error:
        # Raised by the embedded server, with the reason.
        raise CheckFailed(
            f'the embedded PostgreSQL does not start: {error}', 'Set DATABASE_URL to another PostgreSQL'
        ) from None


def _examine(url: str, migrations: Path, *, server_migrates: bool) -> str:
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            version = str(connection.scalar(text("SELECT current_setting('server_version')"))).split()[0]
        schema = SchemaVersion(engine, migrations)
        current = schema.current()
        if schema.is_older(current):
            raise CheckFailed(
                f'the schema is at {current or "no revision"}; this release needs {schema.head}',
                'Run: alembic upgrade head', Status.WARN if server_migrates else Status.FAIL
            )
    finally:
        engine.dispose()
    parts = make_url(url)
    return f'PostgreSQL {version} at {parts.host}:{parts.port or 5432}/{parts.database}, schema at {current}'


def _reason(error: Exception) -> str:
    original = getattr(error, 'orig', None)
    lines = str(original).strip().splitlines() if original else []
    return f'cannot connect: {lines[0]}' if lines else f'cannot connect ({type(original or error).__name__})'
