"""Adapters chosen by the settings, for the service and `flask doctor`."""
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_asset.presentation.file_routes import FILES_PATH
from talelio_backend.settings import Settings
from talelio_backend.settings.folders import MAIL_FOLDER, PROJECT_FOLDER
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.mail.data.mailers import FolderMailer, SmtpMailer

if TYPE_CHECKING:
    from talelio_backend.app_asset.data.stores.s3_store import S3ImageStore
    from talelio_backend.observability.tracing import Tracing

MIGRATIONS_FOLDER = PROJECT_FOLDER / 'migrations'

# Connections per worker process. Fewer than threads, since slow steps of requests run outside transactions.
POOL_SIZE = 11
# Including those of the change listener.
CONNECTIONS = POOL_SIZE + 2


def make_direct_engine(settings: Settings) -> Engine | None:
    """Connects past a pooler, if there is one."""
    if settings.direct_database_url is None:
        return None
    return make_engine(settings.direct_database_url, pool_size=1)


def make_mailer(settings: Settings) -> FolderMailer | SmtpMailer:
    if settings.smtp_server is None:
        return FolderMailer(MAIL_FOLDER, settings.email_sender)
    return SmtpMailer(settings.smtp_server, settings.email_sender)


def make_image_store(settings: Settings) -> 'FolderImageStore | S3ImageStore':
    place = settings.image_store
    if isinstance(place, Path):
        return FolderImageStore(place, settings.api_base_url + FILES_PATH)
    # boto3 is slow to import and takes memory.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.app_asset.data.stores.s3_store import S3ImageStore
    return S3ImageStore(place)


def make_tracing(settings: Settings) -> 'Tracing | None':
    if settings.traces_endpoint is None:
        return None
    # Its packages are optional and take memory.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.observability.tracing import Tracing
    return Tracing(settings.traces_endpoint)
