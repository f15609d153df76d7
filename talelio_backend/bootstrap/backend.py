from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flask import Flask
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from talelio_backend.app_account.business.use_cases.sessions import CheckedAccessTokens
from talelio_backend.app_account.data.jwt import JwtAccessTokens
from talelio_backend.app_asset.business.avatar import avatar_url
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_feed.data.change_log import next_due
from talelio_backend.bootstrap.accounts import add_accounts
from talelio_backend.bootstrap.adapters import (
    MIGRATIONS_FOLDER,
    POOL_SIZE,
    make_direct_engine,
    make_image_store,
    make_mailer,
    make_tracing,
)
from talelio_backend.bootstrap.assets import add_assets
from talelio_backend.bootstrap.container import Container
from talelio_backend.bootstrap.feeds import add_feeds
from talelio_backend.bootstrap.http import make_app
from talelio_backend.bootstrap.metrics import add_metrics
from talelio_backend.bootstrap.orm_mapping import ReadSession, UnitOfWork, map_entities
from talelio_backend.bootstrap.projects import add_projects
from talelio_backend.bootstrap.pruning import prune
from talelio_backend.bootstrap.users import add_users
from talelio_backend.observability.metrics import Metrics
from talelio_backend.observability.metrics.image_store import MeasuredImageStore
from talelio_backend.observability.metrics.mail import MeasuredMailer
from talelio_backend.settings import Settings
from talelio_backend.shared.data.change_listener import NOW, ChangeListener
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.data.query_comments import add_comments
from talelio_backend.shared.data.schema_version import SchemaVersion
from talelio_backend.shared.idempotency.presentation.idempotency_key import Idempotency
from talelio_backend.shared.mail.business import relay
from talelio_backend.shared.mail.business.relay import send_next
from talelio_backend.shared.mail.presentation.outbox_commands import outbox_commands
from talelio_backend.shared.presentation.errors.error_pages import error_page_routes
from talelio_backend.shared.presentation.health import Readiness, health_routes
from talelio_backend.shared.presentation.openapi.routes import docs_routes, openapi_routes
from talelio_backend.shared.presentation.requests.access_log import sql_tags
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter
from talelio_backend.shared.rate_limits.data.counter_repository import keyed_hash
from talelio_backend.shared.workers.periodic_thread import PeriodicThread
from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker

# Seconds that a stopping process waits for each thread.
STOP_TIMEOUT = 5.0

# Seconds between attempts to connect for change notifications.
RECONNECT_PAUSE = 1.0

PRUNING_PAUSE = 3600.0

# Seconds between attempts to release idempotency keys that a lost database has kept.
RELEASE_PAUSE = 1.0

# Seconds without a call after which a child process ends, and between two checks.
IDLE = 60.0
IDLE_PAUSE = 20.0


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The service in one process."""

    app: Flask
    # Start them in the process that serves requests.
    threads: tuple[PeriodicThread, ...]
    readiness: Readiness
    # None if metrics are disabled.
    metrics: CollectorRegistry | None
    public: ChangeListener
    close: Callable[[], None]


def build(settings: Settings, database_url: str, metrics_folder: Path | None = None) -> Backend:
    """`metrics_folder` holds the metrics of this server's processes."""
    map_entities()
    metrics = Metrics()
    direct = make_direct_engine(settings)
    engine = make_engine(
        database_url,
        pool_size=POOL_SIZE,
        pool_class=metrics.database.pool_class(),
        by_role=direct is not None,
    )
    metrics.database.watch(engine, pool_size=POOL_SIZE)
    tracing = make_tracing(settings)
    if tracing is not None:
        tracing.watch(engine)
    add_comments(engine, sql_tags)
    public = ChangeListener(engine, next_due(NOW), direct)
    readiness = Readiness(SchemaVersion(engine, MIGRATIONS_FOLDER).check)
    container = _make_container(settings, metrics, engine, public)
    container.app.register_blueprint(health_routes(readiness))
    container.app.register_blueprint(error_page_routes())
    for add in (add_accounts, add_projects, add_users, add_assets, add_feeds):
        add(container)
    container.app.register_blueprint(openapi_routes(container.app))
    container.app.register_blueprint(docs_routes())
    threads = _make_threads(container, public)
    for thread in threads:
        container.closing.callback(thread.stop, STOP_TIMEOUT)
    registry = None if metrics_folder is None else add_metrics(container, metrics_folder)
    if tracing is not None:
        app = container.app
        app.wsgi_app = tracing.around(app.wsgi_app)  # type: ignore[method-assign, assignment]
        container.closing.callback(tracing.close)
    return Backend(
        app=container.app,
        threads=threads,
        readiness=readiness,
        metrics=registry,
        public=public,
        close=container.closing.close,
    )


def _make_container(
    settings: Settings, metrics: Metrics, engine: Engine, public: ChangeListener
) -> Container:
    bare_store = make_image_store(settings)
    store = MeasuredImageStore(bare_store)
    unit_of_work = partial(
        UnitOfWork, engine, notify=metrics.security.count_event, public_changed=public.changed
    )
    read_session = partial(ReadSession, engine)
    container = Container(
        settings=settings,
        metrics=metrics,
        app=make_app(settings, public, metrics.requests),
        unit_of_work=unit_of_work,
        read_session=read_session,
        access_tokens=CheckedAccessTokens(JwtAccessTokens(*settings.secret_keys), read_session),
        limiter=RateLimiter(unit_of_work, keyed_hash(settings.secret_key), metrics.security.count_refusal),
        store=store,
        folder=bare_store if isinstance(bare_store, FolderImageStore) else None,
        avatar_url=partial(avatar_url, store),
        idempotency=Idempotency(secret=f'idempotency {settings.secret_key}'.encode()),
    )
    container.app.cli.add_command(outbox_commands(unit_of_work))
    container.closing.callback(engine.dispose)
    container.closing.callback(public.close)
    return container


def _make_threads(container: Container, public: ChangeListener) -> tuple[PeriodicThread, ...]:
    mailer = MeasuredMailer(make_mailer(container.settings))
    threads = [
        PeriodicThread(
            'mail-relay',
            lambda: send_next(container.unit_of_work(), container.composers, mailer, _utc_now),
            pause=relay.PAUSE,
        ),
        PeriodicThread(
            'pruning',
            lambda: prune(container.unit_of_work(), container.settings.retention, _utc_now()) > 0,
            pause=PRUNING_PAUSE,
        ),
        PeriodicThread(
            'idempotency-keys',
            lambda: container.idempotency.release_next(container.unit_of_work()),
            pause=RELEASE_PAUSE,
            pause_without_database=RELEASE_PAUSE,
        ),
        PeriodicThread('idle-processes', partial(_end_idle, container.sandboxed_workers), pause=IDLE_PAUSE),
    ]
    if container.settings.cache_memory:
        threads.append(
            PeriodicThread('public-data-watch', public.step, pause=0, pause_without_database=RECONNECT_PAUSE)
        )
    return tuple(threads)


def _end_idle(workers: Iterable[SandboxedWorker]) -> bool:
    for worker in workers:
        worker.end_if_idle(IDLE)
    return False


def _utc_now() -> datetime:
    return datetime.now(UTC)
