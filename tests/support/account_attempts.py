"""Every write of the API about an account and its address, by the operation's id."""
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from tests.support.answers import ok
from tests.support.attempts import EVENTS, MAILS, Attempt, Prepare, ids_of, once, one_wins, some_win
from tests.support.database import connect, select_one
from tests.support.members import Member, join, new_person, register, verification_path
from tests.support.served_api import SECRET_KEY, ServedApi

NEW_PASSWORD = 'another pass phrase'


def _register(api: ServedApi) -> Attempt:
    person = new_person()
    return Attempt(
        send=partial(api.post, '/v1/accounts/register', person.registration),
        success=201,
        query="""
            SELECT count(*), count(users), count(outbox), count(security_events)
            FROM accounts
                LEFT JOIN users ON users.account_id = accounts.id
                LEFT JOIN outbox ON outbox.payload->'account_id' = to_jsonb(accounts.id)
                LEFT JOIN security_events
                    ON security_events.account_id = accounts.id AND security_events.kind = 'account.registered'
            WHERE email = %(email)s
        """,
        values={'email': person.email},
        after=once((0, 0, 0, 0), (1, 1, 1, 1)),
        late=frozenset({400}),
        answers=one_wins(201, 400, 503),
    )


def _verify(api: ServedApi) -> Attempt:
    account = register(api, new_person())
    return Attempt(
        send=partial(api.get, verification_path(account)),
        success=200,
        query=f"SELECT verified, {EVENTS.format('account.verified')} FROM accounts WHERE id = %(account)s",
        values={'account': account['id']},
        after=once((False, 0), (True, 1)),
        late=frozenset({400}),
        answers=one_wins(200, 400),
    )


def _verify_by_token(api: ServedApi) -> Attempt:
    account = register(api, new_person())
    token = verification_path(account).rpartition('/')[2]
    return Attempt(
        send=partial(api.post, '/v1/accounts/verify', {'token': token}),
        success=200,
        query=f"SELECT verified, {EVENTS.format('account.verified')} FROM accounts WHERE id = %(account)s",
        values={'account': account['id']},
        after=once((False, 0), (True, 1)),
        late=frozenset({400}),
        answers=one_wins(200, 400),
    )


def _claim(api: ServedApi) -> Attempt:
    account = register(api, new_person())
    return Attempt(
        send=partial(api.post, verification_path(account), {'password': NEW_PASSWORD}),
        success=200,
        query=f"SELECT verified, {EVENTS.format('account.claimed')} FROM accounts WHERE id = %(account)s",
        values={'account': account['id']},
        after=once((False, 0), (True, 1)),
        late=frozenset({400}),
        answers=one_wins(200, 400, 503),
    )


def _resend(api: ServedApi) -> Attempt:
    account = register(api, new_person())
    return Attempt(
        send=partial(api.post, '/v1/accounts/verify/resend', {'email': account['email']}),
        success=202,
        query=f"SELECT {EVENTS.format('verification.renewed')}, {MAILS.format('verification_request')}",
        values={'account': account['id']},
        after=lambda successes: (successes, successes),
        late=frozenset({202}),
        # As many as the limit lets through.
        answers={
            202: (10, 10),
            429: (6, 6)
        },
    )


def _forgot(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(api.post, '/v1/accounts/password/forgot', {'email': member.person.email}),
        success=202,
        query=f"SELECT {EVENTS.format('password.reset_requested')}, {MAILS.format('password_reset_request')}",
        values=ids_of(member),
        after=lambda successes: (successes, successes),
        late=frozenset({202}),
        answers={
            202: (10, 10),
            429: (6, 6)
        },
    )


def _reset(api: ServedApi) -> Attempt:
    member = join(api)
    link = MailLink(member.account['id'], member.person.email, 0)
    token = JwtLinkTokens(LinkPurpose.RESET, SECRET_KEY).issue(link, datetime.now(UTC))
    return Attempt(
        send=partial(api.post, '/v1/accounts/password/reset', {
            'token': token,
            'password': NEW_PASSWORD
        }),
        success=204,
        query=f"""
            SELECT token_epoch, {EVENTS.format('password.reset')}, {MAILS.format('password_changed')}
            FROM accounts WHERE id = %(account)s
        """,
        values=ids_of(member),
        after=once((0, 0, 0), (1, 1, 1)),
        late=frozenset({400}),
        answers=one_wins(204, 400, 503),
    )


def _change_email(api: ServedApi) -> Attempt:
    member = join(api)
    body = {'email': new_person().email, 'password': member.person.password}
    return Attempt(
        send=partial(api.request, 'PUT', '/v1/accounts/email', json=body, headers=member.bearer),
        success=202,
        query=f"""
            SELECT count(*), {EVENTS.format('email.change_requested')},
                {MAILS.format('email_confirmation')}, {MAILS.format('email_announcement')}
            FROM email_changes WHERE account_id = %(account)s
        """,
        values=ids_of(member),
        # The newest wish takes the place of the one before.
        after=lambda successes: (min(successes, 1), successes, successes, successes),
        late=frozenset({202}),
        answers=some_win(202, 429, 503),
    )


def _email_link(api: ServedApi, member: Member, purpose: LinkPurpose, *, new: bool) -> str:
    """The token in one of the two mails about a change of the address, which is wished for here."""
    body = {'email': new_person().email, 'password': member.person.password}
    ok(api.request('PUT', '/v1/accounts/email', json=body, headers=member.bearer), HTTPStatus.ACCEPTED)
    with closing(connect(api.environ['DATABASE_URL'])) as database:
        query = 'SELECT id FROM email_changes WHERE account_id = %s'
        serial = select_one(database, query, member.account['id'])
    address = body['email'] if new else member.person.email
    return JwtLinkTokens(purpose, SECRET_KEY
                         ).issue(MailLink(member.account['id'], address, serial), datetime.now(UTC))


def _confirm_email(api: ServedApi) -> Attempt:
    member = join(api)
    token = _email_link(api, member, LinkPurpose.EMAIL_CONFIRMATION, new=True)
    return Attempt(
        send=partial(api.post, '/v1/accounts/email/confirm', {'token': token}),
        success=200,
        query=f"""
            SELECT count(confirmed_at), {EVENTS.format('email.changed')}, bool_or(new_email = email)
            FROM email_changes JOIN accounts ON accounts.id = account_id WHERE account_id = %(account)s
        """,
        values=ids_of(member),
        after=once((0, 0, False), (1, 1, True)),
        late=frozenset({400}),
        answers=one_wins(200, 400),
    )


def _revoke_email(api: ServedApi) -> Attempt:
    member = join(api)
    token = _email_link(api, member, LinkPurpose.EMAIL_REVOCATION, new=False)
    return Attempt(
        send=partial(api.post, '/v1/accounts/email/revoke', {'token': token}),
        success=200,
        query=f"""
            SELECT (SELECT count(*) FROM email_changes WHERE account_id = %(account)s), token_epoch,
                {EVENTS.format('email.change_revoked')}, {MAILS.format('password_reset_request')}
            FROM accounts WHERE id = %(account)s
        """,
        values=ids_of(member),
        after=once((1, 0, 0, 0), (0, 1, 1, 1)),
        late=frozenset({400}),
        answers=one_wins(200, 400),
    )


ACCOUNT_ATTEMPTS: dict[str, Prepare] = {
    'registration_register': _register,
    'registration_verify': _verify,
    'registration_verify_by_token': _verify_by_token,
    'registration_claim': _claim,
    'registration_resend_verification': _resend,
    'recovery_forgot': _forgot,
    'recovery_reset': _reset,
    'email_changes_request_change': _change_email,
    'email_changes_confirm': _confirm_email,
    'email_changes_revoke': _revoke_email,
}
