"""Joins the checks of `flask doctor`, as bootstrap joins the service; nothing of that has to work for it."""
import os
from collections.abc import Callable, Iterable
from functools import partial

from dotenv import dotenv_values

from talelio_backend.app_asset.data.imaging.processor import BoundedImageProcessor, image_worker
from talelio_backend.app_project.data.bounded_markdown_renderer import (
    BoundedMarkdownRenderer,
    markdown_worker,
)
from talelio_backend.bootstrap.adapters import CONNECTIONS, MIGRATIONS_FOLDER, make_image_store, make_mailer
from talelio_backend.settings import PROJECT_FOLDER, ConfigurationError, Env, Settings
from talelio_backend.settings.checks import examine_problems, examine_settings
from talelio_backend.settings.database import open_database
from talelio_backend.shared.business import checkup
from talelio_backend.shared.business.checkup import Check, Finding, Report
from talelio_backend.shared.business.secret_values import hider
from talelio_backend.shared.data.background import start_in_background
from talelio_backend.shared.data.database_check import DatabaseCheck
from talelio_backend.shared.data.scratch_space import check_shared_memory, check_temporary_folder

# Seconds. Most parts give up by themselves before.
PATIENCE = 25.0


def check_up() -> Report:
    checks: list[Check] = []
    try:
        settings = Settings.from_env()
    except ConfigurationError as error:
        checks.append(_check('settings', partial(examine_problems, error)))
    except OSError as error:
        checks.append(_check('settings', partial(_examine_unreadable, error)))
    else:
        checks += _checks_of_parts(settings)
    checks += _checks_of_machine()
    environ = dotenv_values(PROJECT_FOLDER / '.env') | dict(os.environ)
    hide = hider({k: v for k, v in environ.items() if v is not None})
    return checkup.check_up(checks, start_in_background, hide)


def _checks_of_parts(settings: Settings) -> Iterable[Check]:
    database = DatabaseCheck(
        open_url=partial(open_database, settings),
        migrations=MIGRATIONS_FOLDER,
        wanted_connections=CONNECTIONS * settings.web_concurrency,
        migrates_itself=settings.env is not Env.PRODUCTION,
    )
    yield _check('settings', partial(examine_settings, settings))
    yield _check('database', database.examine, 'See whether the server, or what stands before it, hangs')
    yield _check(
        'image storage', lambda: make_image_store(settings).check(),
        'See whether the storage, or the way to it, hangs'
    )
    yield _check('mail', lambda: make_mailer(settings).check(), 'See whether the mail server hangs')
    yield _check(
        'pictures', lambda: BoundedImageProcessor(image_worker(), settings.image_limits).check(),
        'See whether this machine is short of memory or of time'
    )


def _checks_of_machine() -> Iterable[Check]:
    yield _check(
        'texts', lambda: BoundedMarkdownRenderer(markdown_worker()).check(),
        'See whether this machine is short of memory or of time'
    )
    yield _check('temporary files', check_temporary_folder, 'See whether the disk hangs')
    yield _check('shared memory', check_shared_memory, 'See whether the machine is short of memory')


def _check(name: str, examine: Callable[[], Iterable[Finding]], mend: str = 'Report this as a bug') -> Check:
    return Check(name=name, examine=examine, patience=PATIENCE, mend=mend)


def _examine_unreadable(error: OSError) -> Iterable[Finding]:
    yield checkup.fail(
        'settings', f'{error.filename} cannot be used: {error.strerror}',
        'Let this user read and write it, or set SECRET_KEY'
    )
