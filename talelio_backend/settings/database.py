from collections.abc import Iterator
from contextlib import contextmanager

from talelio_backend.settings.folders import POSTGRES_FOLDER
from talelio_backend.settings.settings import Settings


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """Yield the database's URL. Without DATABASE_URL, run the embedded server meanwhile."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    # Production does not install this module's packages.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.development.embedded_postgres import EmbeddedPostgres
    with EmbeddedPostgres(POSTGRES_FOLDER) as url:
        yield url
