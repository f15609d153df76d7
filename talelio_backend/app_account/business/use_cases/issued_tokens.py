from dataclasses import dataclass, field
from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.session import RefreshToken, Session
from talelio_backend.app_account.business.ports.sessions import RefreshTokens
from talelio_backend.shared.business.identity import AccessTokens, Identity


@dataclass(frozen=True, kw_only=True)
class IssuedTokens:
    """The result of a login or a refresh."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    # The session expires after this, unless it is used before.
    lifetime: timedelta


@dataclass(frozen=True, kw_only=True)
class SessionTokens:
    access: AccessTokens
    refresh: RefreshTokens

    def issue(self, account: Account, session: Session, secret: str, now: datetime) -> IssuedTokens:
        return IssuedTokens(
            access_token=self.access.issue(Identity(account.id, session.id, account.token_epoch), now),
            refresh_token=self.refresh.issue(RefreshToken(session.id, secret), now),
            lifetime=session.expires_at - now,
        )
