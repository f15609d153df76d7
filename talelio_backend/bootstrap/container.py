from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

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
    """What every feature stands on, and where it leaves what it adds to the whole."""

    settings: Settings
    metrics: Metrics
    app: Flask
    unit_of_work: Callable[[], UnitOfWork]
    read_session: Callable[[], ReadSession]
    access_tokens: AccessTokens
    limiter: RateLimiter
    store: ImageStore
    # The same, where the API serves the files itself.
    folder: FolderImageStore | None
    avatar_url: Callable[[User], str]
    idempotency: Idempotency
    # Writers of mails, by the kind of mail.
    composers: dict[str, Composer] = field(default_factory=dict)
    # What deletes what has become too old, a batch at a time; each returns how much it was about.
    pruning: list[Callable[[datetime], int]] = field(default_factory=list)
    # Whose processes end when nobody needs them for a while.
    bounded_workers: list[SandboxedWorker] = field(default_factory=list)
    # What ends with the process.
    closing: ExitStack = field(default_factory=ExitStack)

    def keep(self, worker: SandboxedWorker) -> SandboxedWorker:
        self.bounded_workers.append(worker)
        self.closing.callback(worker.close)
        return worker
