from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Protocol

from talelio_backend.app_account.business.grant import SessionTokens
from talelio_backend.app_account.business.leaving import FreeFiles
from talelio_backend.app_account.business.link_ports import LinkTokens, OwnAccountUnitOfWork
from talelio_backend.app_account.business.ports import PasswordHasher, VerificationTokens
from talelio_backend.app_account.presentation.session_cookie import SessionCookie
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.rate_limiter import RateLimiter
from talelio_backend.shared.presentation.idempotency import Idempotency, ResultKeepingUnitOfWork


class KeyedAccountUnitOfWork(OwnAccountUnitOfWork, ResultKeepingUnitOfWork, Protocol):
    pass


@dataclass(frozen=True, kw_only=True)
class AccountParts:
    """What the account routes hand to their services."""

    unit_of_work: Callable[[], KeyedAccountUnitOfWork]
    idempotency: Idempotency
    hasher: PasswordHasher
    tokens: SessionTokens
    cookie: SessionCookie
    limiter: RateLimiter
    verification_tokens: VerificationTokens
    reset_tokens: LinkTokens
    confirmation_tokens: LinkTokens
    revocation_tokens: LinkTokens
    # Canonical addresses.
    whitelist: Container[str]
    common_passwords: Container[str]
    avatar_url: Callable[[User], str]
    free_files: FreeFiles
