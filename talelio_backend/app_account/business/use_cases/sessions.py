"""Continues, lists and ends sessions."""
import logging
from collections.abc import Sequence
from datetime import datetime

from talelio_backend.app_account.business.domain.errors import (
    InvalidRefreshToken,
    SessionNotFound,
    SessionOver,
)
from talelio_backend.app_account.business.domain.session import Client, Session
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork
from talelio_backend.app_account.business.ports.sessions import RefreshTokens
from talelio_backend.app_account.business.use_cases.issued_tokens import IssuedTokens, SessionTokens
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.audit.business.audit_trail import EventKind, record
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.identity import Identity

_logger = logging.getLogger(__name__)


def refresh(
    uow: AccountUnitOfWork, tokens: SessionTokens, *, token: str, client: Client, actor: Actor, now: datetime
) -> IssuedTokens:
    """Exchange a refresh token for new tokens.

    A replay after the grace period means that the token or its successor was stolen, so the session ends
    (RFC 9700, section 4.14.2). Raises InvalidRefreshToken, SessionOver, AccountDisabled, AccountNotVerified.
    """
    presented = tokens.refresh.read(token)
    successors = tokens.refresh.successors(presented.secret)
    with uow:
        session = uow.sessions.get_for_update(presented.session_id)
        account = uow.accounts.get(session.account_id) if session is not None else None
        if session is None or account is None or session.is_over(now):
            raise SessionOver()
        account.check_may_log_in()
        secret = session.exchange(presented.secret, successors, client, now)
        if secret is None:
            uow.sessions.end(account.id, session.id)
            record(uow.audit, EventKind.REFRESH_TOKEN_REPLAYED, actor, now, account_id=account.id)
            uow.commit()
            _logger.warning('refresh_token_replayed: session %s of account %s ended', session.id, account.id)
            raise SessionOver()
        uow.commit()
    return tokens.issue(account, session, secret, now)


def log_out(
    uow: AccountUnitOfWork, tokens: RefreshTokens, *, token: str, actor: Actor, now: datetime
) -> None:
    """End the session of a refresh token, if the token is valid and has one."""
    try:
        presented = tokens.read(token)
    except InvalidRefreshToken:
        return
    with uow:
        session = uow.sessions.get_for_update(presented.session_id)
        if session is not None:
            _end(uow, session.account_id, session.id, actor, now)


def log_out_everywhere(uow: AccountUnitOfWork, owner: Identity, *, actor: Actor, now: datetime) -> None:
    """End all sessions and revoke all access tokens. Raises AccountGone."""
    with uow:
        account = uow.accounts.get_for_update(owner.account_id)
        if account is None:
            raise AccountGone()
        account.revoke_access_tokens()
        uow.sessions.end_all(account.id)
        record(uow.audit, EventKind.ALL_SESSIONS_ENDED, actor, now, account_id=account.id, by_account=True)
        uow.commit()


def list_own(uow: AccountUnitOfWork, owner: Identity, now: datetime) -> Sequence[Session]:
    """Most recently used first."""
    with uow:
        return uow.sessions.of_account(owner.account_id, now)


def end_own(uow: AccountUnitOfWork, owner: Identity, session_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises SessionNotFound."""
    with uow:
        if not _end(uow, owner.account_id, session_id, actor, now):
            raise SessionNotFound(session_id)


def end_current(uow: AccountUnitOfWork, owner: Identity, *, actor: Actor, now: datetime) -> None:
    """End the session of the access token, if it has one."""
    if owner.session_id is not None:
        with uow:
            _end(uow, owner.account_id, owner.session_id, actor, now)


def _end(uow: AccountUnitOfWork, account_id: int, session_id: int, actor: Actor, now: datetime) -> bool:
    ended = uow.sessions.end(account_id, session_id)
    if ended:
        record(uow.audit, EventKind.SESSION_ENDED, actor, now, account_id=account_id, by_account=True)
        uow.commit()
    return ended
