"""What the served API writes into its audit trail, and what it never does."""
import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from psycopg2.extensions import connection

from tests.support.answers import error_of, ok
from tests.support.database import execute, select_one
from tests.support.flask_command import flask
from tests.support.members import Member, Person, log_in, new_person, register, verification_path
from tests.support.served_api import ServedApi

LOGIN = '/v1/accounts/login'
TOKEN = '/v1/accounts/token'
SESSIONS = '/v1/accounts/sessions'


def run(api: ServedApi, *arguments: str) -> str:
    """A command in the environment of the server, as an operator runs it."""
    done = flask(api.environ, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def events_of(api: ServedApi, account_id: int) -> list[dict[str, Any]]:
    """Oldest first."""
    events: list[dict[str,
                      Any]] = json.loads(run(api, 'audit', 'list', '--json', '--account', str(account_id)))
    return events[::-1]


def test_the_trail_tells_an_accounts_story(api: ServedApi, person: Person) -> None:
    account = register(api, person)
    error_of(api.post(LOGIN, person.login), HTTPStatus.FORBIDDEN)
    ok(api.get(verification_path(account)))
    error_of(api.post(LOGIN, person.login | {'password': 'wrong'}), HTTPStatus.UNAUTHORIZED)
    headers = {'User-Agent': 'Mozilla/5.0 (test)', 'X-Request-ID': f'story-of-{account["id"]}'}
    ok(api.post(LOGIN, person.login, headers=headers))

    events = events_of(api, account['id'])

    assert [(event['kind'], event['actor']) for event in events] == [
        ('account.registered', 'anonymous'),
        ('login.refused', 'anonymous'),
        ('account.verified', f'account {account["id"]}'),
        ('login.failed', 'anonymous'),
        ('login.succeeded', f'account {account["id"]}'),
    ]
    last = events[-1]
    assert (last['address'], last['network']) == ('127.0.0.1', '127.0.0.0/24')
    assert (last['user_agent'], last['request_id']) == tuple(headers.values())
    assert events[1]['details'] == {'reason': 'Account not verified'}


def test_a_registration_that_fails_leaves_no_event_of_success(api: ServedApi, database: connection) -> None:
    person = new_person()
    register(api, person)
    registered = "SELECT count(*) FROM security_events WHERE kind = 'account.registered'"
    before = select_one(database, registered)

    error_of(api.post('/v1/accounts/register', person.registration), HTTPStatus.BAD_REQUEST)

    assert select_one(database, registered) == before


def test_the_trail_holds_no_secret(api: ServedApi, database: connection) -> None:
    person = Person(**vars(new_person()) | {'password': 'planted-password-in-its-place'})
    account = register(api, person)
    link = verification_path(account)
    ok(api.get(link))
    token = log_in(api, person)
    misplaced = 'planted-password-in-a-wrong-place'
    headers = {
        'Authorization': 'Bearer planted-token',
        'Cookie': 'session=planted-cookie',
        'X-Api-Key': 'planted-key'
    }
    for email in (misplaced, f'{misplaced}@example.com', person.email):
        api.post(LOGIN, {'email': email, 'password': misplaced}, headers=headers)
        api.post(
            '/v1/accounts/register', {
                'email': email,
                'password': misplaced,
                'username': misplaced
            },
            headers=headers
        )
        api.post('/v1/accounts/verify/resend', {'email': email}, headers=headers)
    api.get(f'/v1/accounts/verify/{misplaced}', headers=headers)
    since = datetime.now(UTC).date().isoformat()

    with database.cursor() as cursor:
        cursor.execute('SELECT security_events::text FROM security_events')
        trail = '\n'.join(row[0] for row in cursor.fetchall())
    trail += run(api, 'audit', 'list', '--json', '--limit', '100000', '--since', since)
    trail += run(api, 'audit', 'list', '--limit', '100000', '--since', since)

    assert f'account {account["id"]}' in trail
    for secret in ('planted', token, link.rpartition('/')[2], '$2b$'):
        assert secret not in trail


def test_the_ends_of_sessions_are_told(api: ServedApi, database: connection, member: Member) -> None:
    stolen = ok(api.post(LOGIN, member.person.login | {'refresh': 'body'}))['refresh_token']
    ok(api.post(TOKEN, {'refresh_token': stolen}))
    account_id = member.account['id']
    statement = "UPDATE sessions SET rotated_at = rotated_at - interval '10 seconds' WHERE account_id = %s"
    execute(database, statement, account_id)
    # The thief, or the owner after the thief: nobody can tell, so nobody is named.
    for _ in range(2):
        error_of(api.post(TOKEN, {'refresh_token': stolen}), HTTPStatus.UNAUTHORIZED)
    first, second = (ok(api.post(LOGIN, member.person.login | {'refresh': 'body'})) for _ in range(2))
    # Said twice, done once.
    for _ in range(2):
        api.post('/v1/accounts/logout', {'refresh_token': first['refresh_token']})
    bearer = {'Authorization': f'Bearer {second["access_token"]}'}
    listed = ok(api.get(SESSIONS, headers=bearer))
    other, = (session['id'] for session in listed if not session['current'])
    api.delete(f'{SESSIONS}/{other}', headers=bearer)
    assert api.post('/v1/accounts/logout/all', headers=bearer).status_code == HTTPStatus.NO_CONTENT

    ends = [event for event in events_of(api, account_id) if event['kind'].startswith('session.')]

    owner = f'account {account_id}'
    assert [(event['kind'], event['actor']) for event in ends] == [
        ('session.token_replayed', 'anonymous'),
        ('session.ended', owner),
        ('session.ended', owner),
        ('session.all_ended', owner),
    ]
    assert {event['address'] for event in ends} == {'127.0.0.1'}
    assert stolen not in json.dumps(ends)
