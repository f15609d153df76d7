from dataclasses import dataclass, field
from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.session import RefreshToken, Session
from talelio_backend.app_account.business.ports.sessions import RefreshTokens
from talelio_backend.shared.business.identity import AccessTokens, Identity


@dataclass(frozen=True, kw_only=True)
class IssuedTokens:
    """What a login or a refresh gives to the client."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    # After which the session is over, unless it is used until then.
    lifetime: timedelta


@dataclass(frozen=True, kw_only=True)
class SessionTokens:
    """The two kinds of token that a session gives out."""

    access: AccessTokens
    refresh: RefreshTokens

    def issue(self, account: Account, session: Session, secret: str, now: datetime) -> IssuedTokens:
        return IssuedTokens(
            access_token=self.access.issue(Identity(account.id, session.id, account.token_epoch), now),
            refresh_token=self.refresh.issue(RefreshToken(session.id, secret), now),
            lifetime=session.expires_at - now,
        )
