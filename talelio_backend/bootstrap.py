"""The composition root: every adapter is made here and handed to what needs it."""
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from flask import Flask
from flask_cors import CORS

from talelio_backend.app_account.business.verification_mail import VERIFICATION_MAIL, VerificationMailComposer
from talelio_backend.app_account.data.account_repository import SqlAlchemyAccountRepository, map_account
from talelio_backend.app_account.data.bcrypt_hasher import BcryptHasher
from talelio_backend.app_account.data.common_passwords import load_common_passwords
from talelio_backend.app_account.data.verification_tokens import JwtVerificationTokens
from talelio_backend.app_account.presentation.routes import AccountParts, account_routes
from talelio_backend.app_asset.business import avatar
from talelio_backend.app_asset.data.bounded_image_processor import BoundedImageProcessor, image_worker
from talelio_backend.app_asset.data.folder_image_store import FolderImageStore
from talelio_backend.app_asset.data.image_repository import SqlAlchemyImageRepository, map_image
from talelio_backend.app_asset.presentation.asset_commands import asset_commands
from talelio_backend.app_asset.presentation.file_routes import FILES_PATH, file_routes
from talelio_backend.app_asset.presentation.routes import AssetParts, asset_routes, avatar_routes
from talelio_backend.app_asset.presentation.sent_files import UploadLimits
from talelio_backend.app_project.data.bounded_markdown_renderer import (
    BoundedMarkdownRenderer,
    markdown_worker,
)
from talelio_backend.app_project.data.project_repository import SqlAlchemyProjectRepository, map_project
from talelio_backend.app_project.presentation.routes import ProjectParts, project_routes
from talelio_backend.app_user.data.user_repository import SqlAlchemyUserRepository, map_user
from talelio_backend.app_user.presentation.routes import UserParts, user_routes
from talelio_backend.config import PROJECT_FOLDER, Settings
from talelio_backend.shared.business.mail_relay import send_next
from talelio_backend.shared.data.database import make_engine
from talelio_backend.shared.data.folder_mailer import FolderMailer
from talelio_backend.shared.data.jwt import JwtAccessTokens
from talelio_backend.shared.data.outbox_repository import SqlAlchemyOutbox, map_outbox
from talelio_backend.shared.data.relay_thread import RelayThread
from talelio_backend.shared.data.schema_version import SchemaVersion
from talelio_backend.shared.data.smtp_mailer import SmtpMailer
from talelio_backend.shared.data.turns import Turns
from talelio_backend.shared.data.unit_of_work import SqlAlchemyUnitOfWork
from talelio_backend.shared.presentation.errors import add_error_handlers
from talelio_backend.shared.presentation.forwarded import ForwardedFor
from talelio_backend.shared.presentation.health import Readiness, health_routes
from talelio_backend.shared.presentation.outbox_commands import outbox_commands
from talelio_backend.shared.presentation.paths import IdConverter
from talelio_backend.shared.presentation.request_log import add_request_log

if TYPE_CHECKING:
    from talelio_backend.app_asset.data.s3_image_store import S3ImageStore

MIGRATIONS_FOLDER = PROJECT_FOLDER / 'migrations'

# Connections of a worker process. Fewer than its threads: one is held only while the database works, and
# the slow steps of a request come between its transactions.
POOL_SIZE = 12

# Bytes of a request body. A project's 256 KiB of text may be six times that when JSON escapes it.
MAXIMUM_BODY = 2 * 1024 * 1024

# Requests of a worker process that send or delete pictures. Fewer than there are connections, of which each
# holds one while the store is asked whether all files are there.
PICTURE_CHANGES_AT_ONCE = 8

# Seconds that a stopping process waits for the mail in hand.
RELAY_STOP_TIMEOUT = 5.0


class UnitOfWork(SqlAlchemyUnitOfWork):
    """The whole service's unit of work; each feature's protocol names the part that it uses."""

    @property
    def accounts(self) -> SqlAlchemyAccountRepository:
        return SqlAlchemyAccountRepository(self._session)

    @property
    def users(self) -> SqlAlchemyUserRepository:
        return SqlAlchemyUserRepository(self._session)

    @property
    def projects(self) -> SqlAlchemyProjectRepository:
        return SqlAlchemyProjectRepository(self._session)

    @property
    def images(self) -> SqlAlchemyImageRepository:
        return SqlAlchemyImageRepository(self._session)

    @property
    def outbox(self) -> SqlAlchemyOutbox:
        return SqlAlchemyOutbox(self._session)


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The running parts of one process."""

    app: Flask
    relay: RelayThread
    readiness: Readiness
    close: Callable[[], None]


@cache
def map_entities() -> None:
    """Bind the domain's classes to their tables; cached, because a class can be mapped only once."""
    map_user()
    map_account()
    map_project()
    map_image()
    map_outbox()


def build(settings: Settings, database_url: str) -> Backend:
    map_entities()
    engine = make_engine(database_url, pool_size=POOL_SIZE)
    text_worker = markdown_worker()
    picture_worker = image_worker()
    store = make_image_store(settings)
    avatar_url = partial(avatar.avatar_url, store)
    access_tokens = JwtAccessTokens(settings.secret_key)
    verification_tokens = JwtVerificationTokens(settings.secret_key)

    def unit_of_work() -> UnitOfWork:
        return UnitOfWork(engine)

    app = _make_app(settings)
    readiness = Readiness(SchemaVersion(engine, MIGRATIONS_FOLDER).check)
    app.register_blueprint(health_routes(readiness))
    app.register_blueprint(
        account_routes(
            AccountParts(
                unit_of_work=unit_of_work,
                hasher=BcryptHasher(settings.bcrypt_cost, at_once=_hashes_at_once(settings)),
                access_tokens=access_tokens,
                verification_tokens=verification_tokens,
                whitelist=settings.whitelisted_emails,
                common_passwords=load_common_passwords(),
                avatar_url=avatar_url,
            )
        )
    )
    app.register_blueprint(
        project_routes(
            ProjectParts(
                unit_of_work=unit_of_work,
                renderer=BoundedMarkdownRenderer(text_worker),
                access_tokens=access_tokens,
            )
        )
    )
    app.register_blueprint(
        user_routes(UserParts(unit_of_work=unit_of_work, access_tokens=access_tokens, avatar_url=avatar_url))
    )
    asset_parts = AssetParts(
        unit_of_work=unit_of_work,
        processor=BoundedImageProcessor(picture_worker, settings.image_limits),
        store=store,
        avatar_url=avatar_url,
        access_tokens=access_tokens,
        upload_limits=UploadLimits(files=settings.image_max_files, bytes=settings.image_limits.bytes),
        turn=Turns('changes of pictures', at_once=PICTURE_CHANGES_AT_ONCE, waiting=0, patience=0).turn,
    )
    app.register_blueprint(asset_routes(asset_parts))
    app.register_blueprint(avatar_routes(asset_parts))
    if isinstance(store, FolderImageStore):
        app.register_blueprint(file_routes(store.locate))
    app.cli.add_command(outbox_commands(unit_of_work))
    app.cli.add_command(asset_commands(unit_of_work, store))

    composers = {
        VERIFICATION_MAIL:
        VerificationMailComposer(unit_of_work, verification_tokens, api_base_url=settings.api_base_url)
    }
    mailer = make_mailer(settings)
    relay = RelayThread(lambda: send_next(unit_of_work(), composers, mailer, _utc_now))

    def close() -> None:
        relay.stop(RELAY_STOP_TIMEOUT)
        text_worker.close()
        picture_worker.close()
        engine.dispose()

    return Backend(app=app, relay=relay, readiness=readiness, close=close)


def _make_app(settings: Settings) -> Flask:
    app = Flask('talelio_backend', static_folder=None)
    app.config['MAX_CONTENT_LENGTH'] = MAXIMUM_BODY
    app.config['TRUSTED_HOSTS'] = settings.served_hosts
    app.wsgi_app = ForwardedFor(  # type: ignore[method-assign]
        app.wsgi_app, settings.server.trusted_proxies, hops=settings.server.proxy_hops
    )
    # A path with a doubled slash is another path; a redirect would lose a POST's body.
    app.url_map.merge_slashes = False
    app.url_map.converters['id'] = IdConverter
    add_request_log(app)
    add_error_handlers(app)
    CORS(
        app,
        origins=list(settings.cors_origins),
        supports_credentials=True,
        allow_headers=['Authorization', 'Content-Type', 'X-Request-ID'],
        expose_headers=['Link', 'Retry-After', 'X-Request-ID'],
        max_age=600,
    )
    return app


def _hashes_at_once(settings: Settings) -> int:
    """All worker processes together leave a core to the requests that only read, where there are enough."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, (cores - 1) // settings.server.web_concurrency)


def make_mailer(settings: Settings) -> FolderMailer | SmtpMailer:
    if settings.smtp_server is None:
        return FolderMailer(settings.mail_folder, settings.email_sender)
    return SmtpMailer(settings.smtp_server, settings.email_sender)


def make_image_store(settings: Settings) -> 'FolderImageStore | S3ImageStore':
    if settings.s3_bucket is None:
        return FolderImageStore(settings.image_folder, settings.api_base_url + FILES_PATH)
    # It takes memory and time to import, which a folder does without.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.app_asset.data.s3_image_store import S3ImageStore
    return S3ImageStore(settings.s3_bucket)


def _utc_now() -> datetime:
    return datetime.now(UTC)
