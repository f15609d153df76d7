from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from talelio_backend.app_account.business.domain.errors import AccountDisabled, SessionEnded
from talelio_backend.app_account.business.ports import AccountStatusReadSession
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.identity import AccessTokens, Identity


class CheckedAccessTokens:
    """Access tokens that are revoked with their session or account.

    Each request costs one query by two primary keys. See `shared.business.identity.AccessTokens`.
    """

    def __init__(self, signed: AccessTokens, read_session: Callable[[], AccountStatusReadSession]) -> None:
        self._signed = signed
        self._read_session = read_session

    def issue(self, identity: Identity, now: datetime) -> str:
        return self._signed.issue(identity, now)

    def read(self, token: str) -> Identity:
        """Raises InvalidAccessToken, SessionEnded, AccountDisabled, AccountGone."""
        identity = self._signed.read(token)
        with self._read_session() as read_session:
            status = read_session.sessions.account_status(identity.account_id, identity.session_id)
        if status is None:
            raise AccountGone()
        if status.disabled:
            raise AccountDisabled()
        if status.epoch != identity.epoch or not status.session_active:
            raise SessionEnded()
        return replace(identity, user_id=status.user_id)
