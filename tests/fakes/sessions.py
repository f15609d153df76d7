from datetime import datetime

from talelio_backend.app_account.business.domain.account import EmailChange
from talelio_backend.app_account.business.domain.session import Session
from talelio_backend.app_account.business.ports import AccountStatus
from tests.fakes.repository import FakeRepository


class FakeSessionRepository(FakeRepository[Session]):

    table = 'sessions'

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
        session = self._rows.get(session_id)
        if session is None or session.account_id != account_id:
            return False
        del self._rows[session_id]
        return True

    def end_all(self, account_id: int, *, keep: int | None = None) -> None:
        for session in self._newest_first(account_id):
            if session.id != keep:
                del self._rows[session.id]

    def keep_newest(self, account_id: int, number: int) -> None:
        for session in self._newest_first(account_id)[number:]:
            del self._rows[session.id]

    def delete_over(self, now: datetime, limit: int) -> None:
        over = [session.id for session in self._rows.values() if session.expires_at <= now]
        for id_ in over[:limit]:
            del self._rows[id_]

    def _newest_first(self, account_id: int) -> list[Session]:
        own = [session for session in self._rows.values() if session.account_id == account_id]
        return sorted(own, key=lambda session: (session.last_used_at, session.id), reverse=True)


class FakeEmailChangeRepository(FakeRepository[EmailChange]):

    table = 'email_changes'

    def of_account(self, account_id: int) -> list[EmailChange]:
        return [each for _, each in sorted(self._rows.items()) if each.account_id == account_id]
