from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from talelio_backend.app_account.business.domain.account import Account, EmailChange
from talelio_backend.app_account.business.domain.session import Session
from talelio_backend.app_account.business.ports import AccountStatus


class SessionStore(Protocol):
    accounts: dict[int, Account]
    email_changes: dict[int, EmailChange]
    sessions: dict[int, Session]
    ids: Iterator[int]


class FakeSessionRepository:

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def add(self, session: Session) -> None:
        session.id = next(self._store.ids)
        self._store.sessions[session.id] = session

    def get_for_update(self, id_: int) -> Session | None:
        return self._store.sessions.get(id_)

    def of_account(self, account_id: int, now: datetime) -> list[Session]:
        return [session for session in self._newest_first(account_id) if session.expires_at > now]

    def account_status(self, account_id: int, session_id: int | None) -> AccountStatus | None:
        account = self._store.accounts.get(account_id)
        if account is None:
            return None
        own = {session.id for session in self._newest_first(account_id)}
        return AccountStatus(
            user_id=account.user.id,
            epoch=account.token_epoch,
            disabled=account.disabled_at is not None,
            session_active=session_id is None or session_id in own,
        )

    def end(self, account_id: int, session_id: int) -> bool:
        session = self._store.sessions.get(session_id)
        if session is None or session.account_id != account_id:
            return False
        del self._store.sessions[session_id]
        return True

    def end_all(self, account_id: int, *, keep: int | None = None) -> None:
        for session in self._newest_first(account_id):
            if session.id != keep:
                del self._store.sessions[session.id]

    def keep_newest(self, account_id: int, number: int) -> None:
        for session in self._newest_first(account_id)[number:]:
            del self._store.sessions[session.id]

    def delete_over(self, now: datetime, limit: int) -> None:
        over = [session.id for session in self._store.sessions.values() if session.expires_at <= now]
        for id_ in over[:limit]:
            del self._store.sessions[id_]

    def _newest_first(self, account_id: int) -> list[Session]:
        own = [session for session in self._store.sessions.values() if session.account_id == account_id]
        return sorted(own, key=lambda session: (session.last_used_at, session.id), reverse=True)


class FakeEmailChangeRepository:

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def add(self, change: EmailChange) -> None:
        change.id = next(self._store.ids)
        self._store.email_changes[change.id] = change

    def get(self, id_: int) -> EmailChange | None:
        return self._store.email_changes.get(id_)

    def of_account(self, account_id: int) -> list[EmailChange]:
        return [
            each for _, each in sorted(self._store.email_changes.items()) if each.account_id == account_id
        ]

    def delete(self, change: EmailChange) -> None:
        del self._store.email_changes[change.id]
