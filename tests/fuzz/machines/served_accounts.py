from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import cycle
from typing import Any

from psycopg2.extensions import connection
from requests import Response

from talelio_backend.shared.business.errors import BusinessError
from tests.fuzz.machines.account_system import Kept, Shown, Tokens
from tests.support.answers import error_of
from tests.support.database import execute
from tests.support.members import new_person
from tests.support.served_api import ServedApi

_ACCOUNTS = '/v1/accounts'


class Problem(BusinessError):

    def __init__(self, response: Response) -> None:
        super().__init__(error_of(response, HTTPStatus(response.status_code)))


class ServedAccounts:
    """Over HTTP, with people of its own. Limits of rate, which have tests of their own, are lifted."""

    # What a request may take on a busy machine.
    doubt = timedelta(seconds=4)

    def __init__(self, api: ServedApi, database: connection) -> None:
        self._api = api
        self._database = database
        self.emails = tuple(new_person().email for _ in range(3))
        self._waited = timedelta(0)
        self._ids: list[int] = []
        # The mailed link and a page's button, in turn.
        self._by_link = cycle([True, False])

    def now(self) -> datetime:
        return datetime.now(UTC) + self._waited

    def wait(self, time: timedelta) -> None:
        """As if everything in the sessions had happened earlier."""
        self._waited += time
        statement = """
            UPDATE sessions SET created_at = created_at - %s, last_used_at = last_used_at - %s,
                rotated_at = rotated_at - %s, expires_at = expires_at - %s
            WHERE account_id = ANY(%s)
        """
        execute(self._database, statement, *[time] * 4, self._ids)

    def register(self, email: str, password: str, username: str) -> int:
        body = {'email': email, 'password': password, 'username': username}
        account = self._send('POST', '/register', body, success=HTTPStatus.CREATED)
        self._ids.append(account['id'])
        return int(account['id'])

    def verify(self, token: str) -> None:
        if next(self._by_link):
            self._send('GET', f'/verify/{token}')
        else:
            self._send('POST', '/verify', {'token': token})

    def log_in(self, email: str, password: str) -> Tokens:
        body = {'email': email, 'password': password, 'refresh': 'body'}
        return _tokens(self._send('POST', '/login', body))

    def refresh(self, refresh: str) -> Tokens:
        return _tokens(self._send('POST', '/token', {'refresh_token': refresh}))

    def log_out(self, refresh: str) -> None:
        self._send('POST', '/logout', {'refresh_token': refresh}, success=HTTPStatus.NO_CONTENT)

    def log_out_everywhere(self, access: str) -> None:
        self._send('POST', '/logout/all', access=access, success=HTTPStatus.NO_CONTENT)

    def list_sessions(self, access: str) -> set[int]:
        return {session['id'] for session in self._send('GET', '/sessions', access=access)}

    def end_session(self, access: str, session_id: int) -> None:
        self._send('DELETE', f'/sessions/{session_id}', access=access, success=HTTPStatus.NO_CONTENT)

    def show(self, access: str) -> Shown:
        account = self._send('GET', '/me', access=access)
        return Shown(
            email=account['email'], username=account['user']['username'], verified=account['verified']
        )

    def change_password(self, access: str, current: str, new: str) -> str:
        body = {'current_password': current, 'new_password': new}
        return str(self._send('PUT', '/password', body, access=access)['access_token'])

    def reset_password(self, link: str, password: str) -> None:
        body = {'token': link, 'password': password}
        self._send('POST', '/password/reset', body, success=HTTPStatus.NO_CONTENT)

    def request_email_change(self, access: str, email: str, password: str) -> None:
        body = {'email': email, 'password': password}
        self._send('PUT', '/email', body, access=access, success=HTTPStatus.ACCEPTED)

    def confirm_email_change(self, link: str) -> None:
        self._send('POST', '/email/confirm', {'token': link})

    def revoke_email_change(self, link: str) -> None:
        self._send('POST', '/email/revoke', {'token': link})

    def delete(self, access: str, password: str) -> None:
        self._send('DELETE', '/me', {'password': password}, access=access, success=HTTPStatus.NO_CONTENT)

    def kept(self) -> Kept:
        return Kept(
            accounts=self._kept('SELECT id FROM accounts WHERE id = ANY(%s)'),
            sessions=self._kept('SELECT id FROM sessions WHERE account_id = ANY(%s)'),
            changes=self._kept('SELECT id FROM email_changes WHERE account_id = ANY(%s)'),
        )

    def _kept(self, query: str) -> set[int]:
        with self._database.cursor() as cursor:
            cursor.execute(query, [self._ids])
            return {row[0] for row in cursor.fetchall()}

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        *,
        access: str | None = None,
        success: HTTPStatus = HTTPStatus.OK
    ) -> Any:
        execute(self._database, 'DELETE FROM rate_limit_counters')
        headers = {} if access is None else {'Authorization': f'Bearer {access}'}
        response = self._api.request(method, _ACCOUNTS + path, json=body, headers=headers)
        if not response.ok:
            raise Problem(response)
        assert response.status_code == success
        return response.json() if response.content else None


def _tokens(given: Mapping[str, str]) -> Tokens:
    return Tokens(access=given['access_token'], refresh=given['refresh_token'])
