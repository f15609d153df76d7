from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from talelio_backend.app_account.business.context import AccountContext, AccountPorts
from talelio_backend.app_account.business.ports import AccountUnitOfWork
from talelio_backend.app_account.business.rate_limit_policies import LOGIN
from talelio_backend.app_account.presentation.session_cookie import SessionCookie
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.idempotency.presentation.idempotency_key import (
    Idempotency,
    ResultObservingUnitOfWork,
)
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter, Refused

# The example in the descriptions of rate-limited operations.
TOO_MANY_TRIES = Refused(LOGIN.network, 60)


class KeyedAccountUnitOfWork(AccountUnitOfWork, ResultObservingUnitOfWork, Protocol):
    pass


@dataclass(frozen=True, kw_only=True)
class AccountDependencies:
    unit_of_work: Callable[[], KeyedAccountUnitOfWork]
    ports: AccountPorts
    idempotency: Idempotency
    cookie: SessionCookie
    limiter: RateLimiter
    avatar_url: Callable[[User], str]

    def context(self, actor: Actor | None = None, uow: AccountUnitOfWork | None = None) -> AccountContext:
        """Return what a use case receives, by default on behalf of the current request's client."""
        return AccountContext(
            uow=uow or self.unit_of_work(),
            ports=self.ports,
            actor=actor or request_actor(),
            now=datetime.now(UTC),
        )
