from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from flask import Flask

from talelio_backend.app_asset.business.ports import ImageStore
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_user.business.user import User
from talelio_backend.bootstrap.orm_mapping import ReadSession, UnitOfWork
from talelio_backend.observability.metrics import Metrics
from talelio_backend.settings import Settings
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.idempotency.presentation.idempotency_key import Idempotency
from talelio_backend.shared.mail.business.relay import Composer
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter
from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker


@dataclass(frozen=True, kw_only=True)
class Container:
    """The dependencies of the features, and the collections that they extend."""

    settings: Settings
    metrics: Metrics
    app: Flask
    unit_of_work: Callable[[], UnitOfWork]
    read_session: Callable[[], ReadSession]
    access_tokens: AccessTokens
    limiter: RateLimiter
    store: ImageStore
    # The store, if the API serves the files itself.
    folder: FolderImageStore | None
    avatar_url: Callable[[User], str]
    idempotency: Idempotency
    # By kind of mail.
    composers: dict[str, Composer] = field(default_factory=dict)
    # Their child processes end when idle.
    sandboxed_workers: list[SandboxedWorker] = field(default_factory=list)
    # Callbacks for the end of the process.
    closing: ExitStack = field(default_factory=ExitStack)

    def register_worker(self, worker: SandboxedWorker) -> SandboxedWorker:
        self.sandboxed_workers.append(worker)
        self.closing.callback(worker.close)
        return worker
