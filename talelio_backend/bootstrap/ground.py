from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask

from talelio_backend.app_asset.business.ports import ImageStore
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_user.business.user import User
from talelio_backend.bootstrap.entities import Reading, UnitOfWork
from talelio_backend.metrics import Metrics
from talelio_backend.settings import Settings
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.business.mail_relay import Composer
from talelio_backend.shared.business.rate_limiter import RateLimiter
from talelio_backend.shared.data.bounded_worker import BoundedWorker
from talelio_backend.shared.presentation.idempotency import Idempotency


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every feature stands on, and where it leaves what it adds to the whole."""

    settings: Settings
    metrics: Metrics
    app: Flask
    unit_of_work: Callable[[], UnitOfWork]
    reading: Callable[[], Reading]
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
    bounded_workers: list[BoundedWorker] = field(default_factory=list)
    # What ends with the process.
    closing: ExitStack = field(default_factory=ExitStack)

    def keep(self, worker: BoundedWorker) -> BoundedWorker:
        self.bounded_workers.append(worker)
        self.closing.callback(worker.close)
        return worker
