from collections.abc import Iterator
from contextlib import contextmanager

from talelio_backend.config import POSTGRES_FOLDER, Settings


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """Yield the database's URL, keeping the embedded server up meanwhile where no other is set."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    # Production has neither this module's packages nor a use for it.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres
    with EmbeddedPostgres(POSTGRES_FOLDER) as url:
        yield url
