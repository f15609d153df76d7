"""The checks of `flask doctor`, which also works if the service cannot start."""
import os
from collections.abc import Iterator
from functools import partial

from dotenv import dotenv_values
from sqlalchemy import Engine

from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.store_check import check_store
from talelio_backend.app_feed.data.change_log import next_due
from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER, make_direct_engine, make_image_store
from talelio_backend.settings import PROJECT_FOLDER, ConfigurationError, Env, Settings
from talelio_backend.settings.checks import check_settings
from talelio_backend.settings.database import open_database
from talelio_backend.settings.folders import MAIL_FOLDER
from talelio_backend.shared.data.change_listener import NOW, ChangeListener
from talelio_backend.shared.diagnostics.business.checks import Check, CheckFailed, CheckResult, run_checks
from talelio_backend.shared.diagnostics.business.redaction import redactor
from talelio_backend.shared.diagnostics.data.database_check import check_database
from talelio_backend.shared.mail.business.message import MailNotSent
from talelio_backend.shared.mail.data.mailers import SmtpMailer
from talelio_backend.shared.workers.bounded_calls import start_daemon

# Seconds. Most checks time out earlier by themselves.
TIMEOUT = 25.0

_S3_REMEDY = 'Correct S3_BUCKET, AWS_REGION, AWS_ENDPOINT_URL_S3 and the credentials; ' \
    'allow s3:GetObject, s3:PutObject and s3:DeleteObject on its objects, and s3:ListBucket on the bucket'
_FOLDER_REMEDY = 'Make the folder writable for this user, free disk space, or set IMAGE_FOLDER to another one'


def run_doctor() -> list[CheckResult]:
    environ = dotenv_values(PROJECT_FOLDER / '.env') | dict(os.environ)
    redact = redactor({k: v for k, v in environ.items() if v is not None})
    return run_checks(_checks(), start_daemon, redact, timeout=TIMEOUT)


def _checks() -> Iterator[Check]:
    try:
        settings = Settings.from_env()
    except ConfigurationError as error:
        for problem in error.problems:
            yield Check.failing('settings', problem, 'See .github/docs/configuration.md')
        return
    except OSError as error:
        found = f'{error.filename}: {error.strerror}'
        yield Check.failing('settings', found, 'Make it readable for this user, or set SECRET_KEY')
        return
    yield from check_settings(settings)
    yield Check(
        name='database',
        run=partial(
            check_database,
            partial(open_database, settings),
            MIGRATIONS_FOLDER,
            server_migrates=settings.env is not Env.PRODUCTION,
            by_role=settings.direct_database_url is not None,
            listen=partial(_listen, settings),
        ),
    )
    yield Check(name='image store', run=partial(_check_images, settings))
    yield Check(name='mail', run=partial(_check_mail, settings))


def _listen(settings: Settings, engine: Engine) -> None:
    if not settings.cache_memory:
        return
    direct = make_direct_engine(settings)
    listener = ChangeListener(engine, next_due(NOW), direct)
    try:
        listener.step()
    finally:
        listener.close()
        if direct is not None:
            direct.dispose()


def _check_images(settings: Settings) -> str:
    in_bucket = isinstance(settings.image_store, S3Bucket)
    remedy = _S3_REMEDY if in_bucket else _FOLDER_REMEDY
    return check_store(make_image_store(settings), remedy=remedy, publishes=in_bucket)


def _check_mail(settings: Settings) -> str:
    server = settings.smtp_server
    if server is None:
        return f'saved in {MAIL_FOLDER}: SMTP_URL is not set'
    try:
        SmtpMailer(server, settings.email_sender).check()
    except MailNotSent as error:
        raise CheckFailed(f'{server.host}:{server.port}: {error}', 'Correct SMTP_URL') from None
    return f'{server.host}:{server.port} accepts mail'
