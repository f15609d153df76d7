"""Every write of the API about sessions, and about what takes all of them along, by the operation's id."""
from contextlib import closing
from functools import partial

from tests.support.answers import ok
from tests.support.attempts import EVENTS, MAILS, Attempt, Prepare, all_win, ids_of, once, one_wins, some_win
from tests.support.database import connect, select_one
from tests.support.grace import prolong_grace
from tests.support.members import Member, join
from tests.support.served_api import ServedApi

LOGIN = '/v1/accounts/login'
NEW_PASSWORD = 'another pass phrase'


def _log_in(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(api.post, LOGIN, member.person.login),
        success=200,
        query=f"""
            SELECT (SELECT count(*) FROM sessions WHERE account_id = %(account)s) - 1,
                {EVENTS.format('login.succeeded')} - 1
        """,
        values=ids_of(member),
        after=lambda successes: (successes, successes),
        late=frozenset({200}),
        # Each counts as a try until it has succeeded.
        answers=some_win(200, 429, 503),
    )


def _refresh_token(api: ServedApi, member: Member) -> str:
    response = api.post(LOGIN, member.person.login | {'refresh': 'body'})
    token: str = ok(response)['refresh_token']
    return token


def _refresh(api: ServedApi) -> Attempt:
    member = join(api)
    prolong_grace(api, member)
    return Attempt(
        send=partial(api.post, '/v1/accounts/token', {'refresh_token': _refresh_token(api, member)}),
        success=200,
        query='SELECT count(rotated_at), count(*) FROM sessions WHERE account_id = %(account)s',
        values=ids_of(member),
        after=once((0, 2), (1, 2)),
        late=frozenset({200}),
        # All get the one token that follows.
        answers=all_win(200),
    )


def _log_out(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(api.post, '/v1/accounts/logout', {'refresh_token': _refresh_token(api, member)}),
        success=204,
        query=f"""
            SELECT (SELECT count(*) FROM sessions WHERE account_id = %(account)s),
                {EVENTS.format('session.ended')}
        """,
        values=ids_of(member),
        after=once((2, 0), (1, 1)),
        late=frozenset({204}),
        answers=all_win(204),
    )


def _log_out_everywhere(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(api.post, '/v1/accounts/logout/all', headers=member.bearer),
        success=204,
        query=f"""
            SELECT (SELECT count(*) FROM sessions WHERE account_id = %(account)s),
                {EVENTS.format('session.all_ended')}
        """,
        values=ids_of(member),
        # Who got in before the end of the token is told, and noted, as having ended them.
        after=lambda successes: (0 if successes else 1, successes),
        late=frozenset({403}),
        answers=some_win(204, 403),
    )


def _end_session(api: ServedApi) -> Attempt:
    member = join(api)
    api.post(LOGIN, member.person.login)
    with closing(connect(api.environ['DATABASE_URL'])) as database:
        query = 'SELECT max(id) FROM sessions WHERE account_id = %s'
        session = select_one(database, query, member.account['id'])
    return Attempt(
        send=partial(api.delete, f'/v1/accounts/sessions/{session}', headers=member.bearer),
        success=204,
        query=f"""
            SELECT (SELECT count(*) FROM sessions WHERE account_id = %(account)s),
                {EVENTS.format('session.ended')}
        """,
        values=ids_of(member),
        after=once((2, 0), (1, 1)),
        late=frozenset({404}),
        answers=one_wins(204, 404),
    )


def _change_password(api: ServedApi) -> Attempt:
    member = join(api)
    body = {'current_password': member.person.password, 'new_password': NEW_PASSWORD}
    return Attempt(
        send=partial(api.request, 'PUT', '/v1/accounts/password', json=body, headers=member.bearer),
        success=200,
        query=f"""
            SELECT token_epoch, {EVENTS.format('password.changed')}, {MAILS.format('password_changed')}
            FROM accounts WHERE id = %(account)s
        """,
        values=ids_of(member),
        after=once((0, 0, 0), (1, 1, 1)),
        late=frozenset({400, 403}),
        answers=one_wins(200, 400, 403, 429, 503),
    )


def _leave(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(
            api.delete, '/v1/accounts/me', {'password': member.person.password}, headers=member.bearer
        ),
        success=204,
        query=f"""
            SELECT (SELECT count(*) FROM accounts WHERE id = %(account)s),
                (SELECT count(*) FROM users WHERE id = %(user)s),
                (SELECT count(*) FROM sessions WHERE account_id = %(account)s),
                {EVENTS.format('account.deleted')}
        """,
        values=ids_of(member),
        after=once((1, 1, 1, 0), (0, 0, 0, 1)),
        late=frozenset({403}),
        # Each counts as a guess at the password until it was right.
        answers=some_win(204, 403, 429, 503),
    )


SESSION_ATTEMPTS: dict[str, Prepare] = {
    'sessions_log_in': _log_in,
    'sessions_refresh': _refresh,
    'sessions_log_out': _log_out,
    'sessions_log_out_everywhere': _log_out_everywhere,
    'sessions_end_own': _end_session,
    'own_account_change_password': _change_password,
    'own_account_delete': _leave,
}
