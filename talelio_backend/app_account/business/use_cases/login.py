from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import InvalidCredentials
from talelio_backend.app_account.business.domain.session import MAX_SESSIONS, Client, Session
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork, PasswordHasher
from talelio_backend.app_account.business.use_cases.issued_tokens import IssuedTokens, SessionTokens
from talelio_backend.app_account.business.use_cases.locking import find_by_email, lock_unchanged
from talelio_backend.shared.audit.business.audit_trail import EventKind, record, record_refusal
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import Forbidden

# Each login deletes more expired sessions than it adds.
_PRUNE_LIMIT = 100


def log_in(
    uow: AccountUnitOfWork,
    hasher: PasswordHasher,
    tokens: SessionTokens,
    *,
    email: str,
    password: str,
    client: Client,
    actor: Actor,
    now: datetime,
) -> IssuedTokens:
    """Raises InvalidCredentials, AccountDisabled, AccountNotVerified, ChangedMeanwhile."""
    with uow:
        account = find_by_email(uow.accounts, email)
    # An unknown address takes the same time as a wrong password, including the audit record.
    password_hash = account.password_hash if account is not None else None
    if not hasher.verify(password, password_hash) or account is None:
        account_id = account.id if account is not None else None
        record_refusal(uow, EventKind.LOGIN_FAILED, actor, now, account_id=account_id)
        raise InvalidCredentials()
    try:
        account.check_may_log_in()
    except Forbidden as refusal:
        reason = {'reason': refusal.message}
        record_refusal(uow, EventKind.LOGIN_REFUSED, actor, now, account_id=account.id, details=reason)
        raise
    renewed_hash = hasher.hash(password) if hasher.is_outdated(account.password_hash) else None
    return _begin_session(uow, tokens, account, renewed_hash, client=client, actor=actor, now=now)


def _begin_session(
    uow: AccountUnitOfWork,
    tokens: SessionTokens,
    seen: Account,
    renewed_hash: str | None,
    *,
    client: Client,
    actor: Actor,
    now: datetime,
) -> IssuedTokens:
    secret = tokens.refresh.new_secret()
    with uow:
        # No session may begin if the password changed, or all sessions ended, during the check.
        account = lock_unchanged(uow.accounts, seen)
        if renewed_hash is not None and account.password_hash == seen.password_hash:
            account.password_hash = renewed_hash
        session = Session.begin(account.id, secret, client, now)
        uow.sessions.add(session)
        uow.sessions.keep_newest(account.id, MAX_SESSIONS)
        uow.sessions.delete_over(now, _PRUNE_LIMIT)
        record(uow.audit, EventKind.LOGIN_SUCCEEDED, actor, now, account_id=account.id, by_account=True)
        uow.commit()
    return tokens.issue(account, session, secret, now)
