from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.change_listener import UNHEARD_REMEDY
from talelio_backend.shared.data.engine import SESSION_SETTINGS, make_engine
from talelio_backend.shared.data.schema_version import SchemaVersion
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status

_REMEDY = 'Correct DATABASE_URL (escape special characters as %XX) and allow connections from here. ' \
    'For a connection pooler, set DIRECT_DATABASE_URL, too'


def check_database(
    open_url: Callable[[], AbstractContextManager[str]],
    migrations: Path,
    *,
    server_migrates: bool,
    by_role: bool = False,
    listen: Callable[[Engine], object] = lambda engine: None,
) -> str:
    """Connect and check the schema and the session. `open_url` yields a SQLAlchemy URL. Raises CheckFailed.

    `server_migrates` means that the server migrates on start. For `by_role` see `make_engine`. `listen`
    raises Unavailable if notifications do not arrive.
    """
    try:
        with open_url() as url:
            engine = make_engine(url, pool_size=1, by_role=by_role)
            try:
                found = _examine(engine, migrations, server_migrates=server_migrates)
                _check_session(engine, listen)
                return found
            finally:
                engine.dispose()
    except (SQLAlchemyError, Unavailable, ValueError) as error:
        raise CheckFailed(_reason(error), _REMEDY) from None
    except RuntimeError as error:
        # Raised by the embedded server, with the reason.
        raise CheckFailed(
            f'the embedded PostgreSQL does not start: {error}', 'Set DATABASE_URL to another PostgreSQL'
        ) from None


def _examine(engine: Engine, migrations: Path, *, server_migrates: bool) -> str:
    with engine.connect() as connection:
        version = str(connection.scalar(text("SELECT current_setting('server_version')"))).split()[0]
        driver: Any = connection.connection.driver_connection
        server = f'{driver.info.host}:{driver.info.port}/{driver.info.dbname}'
    schema = SchemaVersion(engine, migrations)
    current = schema.current()
    if schema.is_older(current):
        raise CheckFailed(
            f'the schema is at {current or "no revision"}; this release needs {schema.head}',
            'Run: alembic upgrade head', Status.WARN if server_migrates else Status.FAIL
        )
    return f'PostgreSQL {version} at {server}, schema at {current}'


def _check_session(engine: Engine, listen: Callable[[Engine], object]) -> None:
    with engine.connect() as connection:
        query = text('SELECT current_setting(:name)')
        if any(connection.scalar(query, {'name': name}) != value for name, value in SESSION_SETTINGS.items()):
            raise CheckFailed(
                'sessions do not have their time-outs, which a connection pooler may ignore',
                'Set DIRECT_DATABASE_URL, run: alembic upgrade head, and restart the pooler', Status.WARN
            )
    try:
        listen(engine)
    except Unavailable as error:
        raise CheckFailed(str(error), UNHEARD_REMEDY, Status.WARN) from None


def _reason(error: Exception) -> str:
    if isinstance(error, Unavailable) and error.__cause__ is None:
        return str(error)
    original = getattr(error, 'orig', None)
    lines = str(original).strip().splitlines() if original else []
    return f'cannot connect: {lines[0]}' if lines else f'cannot connect ({type(original or error).__name__})'
