from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Protocol

from talelio_backend.app_account.business.ports.accounts import PasswordHasher
from talelio_backend.app_account.business.ports.links import LinkTokens, OwnAccountUnitOfWork
from talelio_backend.app_account.business.use_cases.account_deletion import FreeFiles
from talelio_backend.app_account.business.use_cases.issued_tokens import SessionTokens
from talelio_backend.app_account.presentation.session_cookie import SessionCookie
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.idempotency.presentation.idempotency_key import (
    Idempotency,
    ResultObservingUnitOfWork,
)
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter


class KeyedAccountUnitOfWork(OwnAccountUnitOfWork, ResultObservingUnitOfWork, Protocol):
    pass


@dataclass(frozen=True, kw_only=True)
class AccountDependencies:
    unit_of_work: Callable[[], KeyedAccountUnitOfWork]
    idempotency: Idempotency
    hasher: PasswordHasher
    tokens: SessionTokens
    cookie: SessionCookie
    limiter: RateLimiter
    verification_tokens: LinkTokens
    reset_tokens: LinkTokens
    confirmation_tokens: LinkTokens
    revocation_tokens: LinkTokens
    # Canonical addresses.
    whitelist: Container[str]
    common_passwords: Container[str]
    avatar_url: Callable[[User], str]
    free_files: FreeFiles
