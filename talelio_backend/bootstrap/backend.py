from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flask import Flask
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from talelio_backend.app_account.business.checked_access_tokens import CheckedAccessTokens
from talelio_backend.app_asset.business.avatar import avatar_url
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_feed.data.change_log import next_due
from talelio_backend.bootstrap.accounts import add_accounts
from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER, POOL_SIZE, make_image_store, make_mailer
from talelio_backend.bootstrap.assets import add_assets
from talelio_backend.bootstrap.audit import add_audit
from talelio_backend.bootstrap.entities import Reading, UnitOfWork, map_entities
from talelio_backend.bootstrap.feeds import add_feeds
from talelio_backend.bootstrap.ground import Ground
from talelio_backend.bootstrap.http import make_app
from talelio_backend.bootstrap.metrics import add_metrics
from talelio_backend.bootstrap.projects import add_projects
from talelio_backend.bootstrap.tracing import make_tracing
from talelio_backend.bootstrap.users import add_users
from talelio_backend.metrics import Metrics
from talelio_backend.metrics.image_store import MeasuredImageStore
from talelio_backend.metrics.mail import MeasuredMailer
from talelio_backend.metrics.security import MeasuredRateLimiter
from talelio_backend.settings import Settings
from talelio_backend.shared.business import idempotency, mail_relay, outbox, rate_limits
from talelio_backend.shared.business.mail_relay import send_next
from talelio_backend.shared.data.bounded_worker import BoundedWorker
from talelio_backend.shared.data.counter_repository import pseudonyms
from talelio_backend.shared.data.database import make_engine
from talelio_backend.shared.data.jwt import JwtAccessTokens
from talelio_backend.shared.data.public_data_watch import NOW, PublicDataWatch
from talelio_backend.shared.data.repeating_thread import RepeatingThread
from talelio_backend.shared.data.schema_version import SchemaVersion
from talelio_backend.shared.data.sql_comments import add_comments
from talelio_backend.shared.presentation.docs_routes import docs_routes
from talelio_backend.shared.presentation.health import Readiness, health_routes
from talelio_backend.shared.presentation.idempotency import Idempotency
from talelio_backend.shared.presentation.openapi_routes import openapi_routes
from talelio_backend.shared.presentation.outbox_commands import outbox_commands
from talelio_backend.shared.presentation.sql_tags import sql_tags

# Seconds that a stopping process waits for the mail in hand.
RELAY_STOP_TIMEOUT = 5.0

# Seconds after which a connection for what is told of public data is tried again.
WATCH_PAUSE = 1.0

# Seconds between two looks at what has become too old.
PRUNING_PAUSE = 3600.0

# Seconds without a text, or a picture, after which the process for it ends, and between two looks at it.
IDLE = 60.0
IDLE_PAUSE = 20.0


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The running parts of one process."""

    app: Flask
    # To be started where requests are served.
    threads: tuple[RepeatingThread, ...]
    readiness: Readiness
    # None where nobody is to be told.
    metrics: CollectorRegistry | None
    public: PublicDataWatch
    close: Callable[[], None]


def build(settings: Settings, database_url: str, metrics_folder: Path | None = None) -> Backend:
    """`metrics_folder` is where the processes of this server count."""
    map_entities()
    metrics = Metrics()
    engine = make_engine(database_url, pool_size=POOL_SIZE, pool_class=metrics.database.pool_class())
    metrics.database.watch(engine, pool_size=POOL_SIZE)
    tracing = make_tracing(settings)
    if tracing is not None:
        tracing.watch(engine)
    add_comments(engine, sql_tags)
    public = PublicDataWatch(engine, next_due(NOW))
    readiness = Readiness(SchemaVersion(engine, MIGRATIONS_FOLDER).check)
    ground = _make_ground(settings, metrics, engine, public)
    ground.app.register_blueprint(health_routes(readiness))
    for add in (add_audit, add_accounts, add_projects, add_users, add_assets, add_feeds):
        add(ground)
    ground.app.register_blueprint(openapi_routes(ground.app))
    ground.app.register_blueprint(docs_routes())
    threads = _make_threads(ground, public)
    for thread in threads:
        ground.closing.callback(thread.stop, RELAY_STOP_TIMEOUT)
    registry = None if metrics_folder is None else add_metrics(ground, metrics_folder)
    if tracing is not None:
        ground.app.wsgi_app = tracing.around(ground.app.wsgi_app)  # type: ignore[method-assign, assignment]
        ground.closing.callback(tracing.close)
    return Backend(
        app=ground.app,
        threads=threads,
        readiness=readiness,
        metrics=registry,
        public=public,
        close=ground.closing.close,
    )


def _make_ground(settings: Settings, metrics: Metrics, engine: Engine, public: PublicDataWatch) -> Ground:
    bare_store = make_image_store(settings)
    store = MeasuredImageStore(bare_store, metrics.storage)
    unit_of_work = partial(
        UnitOfWork, engine, tell=metrics.security.count_event, public_changed=public.changed
    )
    reading = partial(Reading, engine)
    ground = Ground(
        settings=settings,
        metrics=metrics,
        app=make_app(settings, public, metrics.requests),
        unit_of_work=unit_of_work,
        reading=reading,
        access_tokens=CheckedAccessTokens(JwtAccessTokens(*settings.secret_keys), reading),
        limiter=MeasuredRateLimiter(unit_of_work, pseudonyms(settings.secret_key), metrics.security),
        store=store,
        folder=bare_store if isinstance(bare_store, FolderImageStore) else None,
        avatar_url=partial(avatar_url, store),
        idempotency=Idempotency(secret=f'idempotency {settings.secret_key}'.encode()),
        pruning=[
            lambda now: rate_limits.prune(unit_of_work(), now),
            lambda now: idempotency.prune(unit_of_work(), now),
            lambda now: outbox.prune(unit_of_work(), now),
        ],
    )
    ground.app.cli.add_command(outbox_commands(unit_of_work))
    ground.closing.callback(engine.dispose)
    ground.closing.callback(public.close)
    return ground


def _make_threads(ground: Ground, public: PublicDataWatch) -> tuple[RepeatingThread, ...]:
    mailer = MeasuredMailer(make_mailer(ground.settings), ground.metrics.mail)
    threads = [
        RepeatingThread(
            'mail-relay',
            lambda: send_next(ground.unit_of_work(), ground.composers, mailer, _utc_now),
            pause=mail_relay.PAUSE,
        ),
        RepeatingThread(
            'pruning',
            lambda: sum(prune(_utc_now()) for prune in ground.pruning) > 0,
            pause=PRUNING_PAUSE,
        ),
        RepeatingThread('idle-processes', partial(_end_idle, ground.bounded_workers), pause=IDLE_PAUSE),
    ]
    if ground.settings.cache_memory:
        threads.append(
            RepeatingThread('public-data-watch', public.step, pause=0, pause_without_database=WATCH_PAUSE)
        )
    return tuple(threads)


def _end_idle(workers: Iterable[BoundedWorker]) -> bool:
    for worker in workers:
        worker.end_if_idle(IDLE)
    return False


def _utc_now() -> datetime:
    return datetime.now(UTC)
