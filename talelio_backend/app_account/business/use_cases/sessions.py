"""Begins, continues, checks, lists and ends sessions."""
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import (
    AccountDisabled,
    InvalidCredentials,
    InvalidRefreshToken,
    SessionEnded,
    SessionNotFound,
    SessionOver,
)
from talelio_backend.app_account.business.domain.session import MAX_SESSIONS, Client, RefreshToken, Session
from talelio_backend.app_account.business.ports import AccountStatusReadSession
from talelio_backend.app_account.business.use_cases.shared_steps import find_by_email, lock_unchanged
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.audit.business.audit_trail import EventKind
from talelio_backend.shared.business.errors import Forbidden
from talelio_backend.shared.business.identity import AccessTokens, Identity

# Each login deletes more expired sessions than it adds.
_PRUNE_LIMIT = 100

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class IssuedTokens:
    """The result of a login or a refresh."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    # The session expires after this, unless it is used before.
    lifetime: timedelta


def log_in(context: AccountContext, *, email: EmailAddress, password: str, client: Client) -> IssuedTokens:
    """Raises InvalidCredentials, AccountDisabled, AccountNotVerified, ChangedMeanwhile."""
    hasher = context.ports.hasher
    with context.uow as uow:
        account = find_by_email(uow.accounts, email)
    # An unknown address takes the same time as a wrong password, including the audit record.
    password_hash = account.password_hash if account is not None else None
    if not hasher.verify(password, password_hash) or account is None:
        context.record_refusal(EventKind.LOGIN_FAILED, account.id if account is not None else None)
        raise InvalidCredentials()
    try:
        account.check_may_log_in()
    except Forbidden as refusal:
        context.record_refusal(EventKind.LOGIN_REFUSED, account.id, {'reason': refusal.message})
        raise
    renewed_hash = hasher.hash(password) if hasher.is_outdated(account.password_hash) else None
    return _begin_session(context, account, renewed_hash, client)


def _begin_session(
    context: AccountContext, seen: Account, renewed_hash: str | None, client: Client
) -> IssuedTokens:
    secret = context.ports.refresh_tokens.new_secret()
    with context.uow as uow:
        # No session may begin if the password changed, or all sessions ended, during the check.
        account = lock_unchanged(uow.accounts, seen)
        if renewed_hash is not None and account.password_hash == seen.password_hash:
            account.password_hash = renewed_hash
        session = Session.begin(account.id, secret, client, context.now)
        uow.sessions.add(session)
        uow.sessions.keep_newest(account.id, MAX_SESSIONS)
        uow.sessions.delete_over(context.now, _PRUNE_LIMIT)
        context.record(EventKind.LOGIN_SUCCEEDED, account.id, by_account=True)
        uow.commit()
    return _issue(context, account, session, secret)


def refresh(context: AccountContext, *, token: str, client: Client) -> IssuedTokens:
    """Exchange a refresh token for new tokens.

    A replay after the grace period means that the token or its successor was stolen, so the session ends
    (RFC 9700, section 4.14.2). Raises InvalidRefreshToken, SessionOver, AccountDisabled, AccountNotVerified.
    """
    presented = context.ports.refresh_tokens.read(token)
    successors = context.ports.refresh_tokens.successors(presented.secret)
    with context.uow as uow:
        session = uow.sessions.get_for_update(presented.session_id)
        account = uow.accounts.get(session.account_id) if session is not None else None
        if session is None or account is None or session.is_over(context.now):
            raise SessionOver()
        account.check_may_log_in()
        secret = session.exchange(presented.secret, successors, client, context.now)
        if secret is None:
            uow.sessions.end(account.id, session.id)
            context.record(EventKind.REFRESH_TOKEN_REPLAYED, account.id)
            uow.commit()
            _logger.warning('refresh_token_replayed: session %s of account %s ended', session.id, account.id)
            raise SessionOver()
        uow.commit()
    return _issue(context, account, session, secret)


def _issue(context: AccountContext, account: Account, session: Session, secret: str) -> IssuedTokens:
    identity = Identity(account.id, session.id, account.token_epoch)
    return IssuedTokens(
        access_token=context.ports.access_tokens.issue(identity, context.now),
        refresh_token=context.ports.refresh_tokens.issue(RefreshToken(session.id, secret), context.now),
        lifetime=session.expires_at - context.now,
    )


def log_out(context: AccountContext, token: str) -> None:
    """End the session of a refresh token, if the token is valid and has one."""
    try:
        presented = context.ports.refresh_tokens.read(token)
    except InvalidRefreshToken:
        return
    with context.uow as uow:
        session = uow.sessions.get_for_update(presented.session_id)
        if session is not None:
            _end(context, session.account_id, session.id)


def log_out_everywhere(context: AccountContext, owner: Identity) -> None:
    """End all sessions and revoke all access tokens. Raises AccountGone."""
    with context.uow as uow:
        account = uow.accounts.get_for_update(owner.account_id)
        if account is None:
            raise AccountGone()
        account.revoke_access_tokens()
        uow.sessions.end_all(account.id)
        context.record(EventKind.ALL_SESSIONS_ENDED, account.id, by_account=True)
        uow.commit()


def list_own(context: AccountContext, owner: Identity) -> Sequence[Session]:
    """Most recently used first."""
    with context.uow as uow:
        return uow.sessions.of_account(owner.account_id, context.now)


def end_own(context: AccountContext, owner: Identity, session_id: int) -> None:
    """Raises SessionNotFound."""
    with context.uow:
        if not _end(context, owner.account_id, session_id):
            raise SessionNotFound(session_id)


def end_current(context: AccountContext, owner: Identity) -> None:
    """End the session of the access token, if it has one."""
    if owner.session_id is not None:
        with context.uow:
            _end(context, owner.account_id, owner.session_id)


def _end(context: AccountContext, account_id: int, session_id: int) -> bool:
    ended = context.uow.sessions.end(account_id, session_id)
    if ended:
        context.record(EventKind.SESSION_ENDED, account_id, by_account=True)
        context.uow.commit()
    return ended


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
