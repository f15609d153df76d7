"""The link that the mail brings: what it does, once, and what every other token does, namely nothing."""
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
from psycopg2.extensions import connection

from talelio_backend.app_account.data.jwt import SignedTokens
from talelio_backend.shared.business.identity import InvalidAccessToken
from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import execute, select_one
from tests.support.members import Member, Person, join, log_in, new_person, register, verification_path
from tests.support.served_api import SECRET_KEY, ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import wait_until

VERIFY = '/v1/accounts/verify/'
LOGIN = '/v1/accounts/login'
# Of the frontend's page.
BUTTON = '/v1/accounts/verify'
RESEND = '/v1/accounts/verify/resend'


def refusal(api: ServedApi, path: str) -> str:
    return error_of(api.get(path), HTTPStatus.BAD_REQUEST)


def is_verified(database: connection, person: Person) -> bool:
    query = 'SELECT verified FROM accounts WHERE email = %s'
    return bool(select_one(database, query, person.email))


def flip_a_bit(token: str, part: int) -> str:
    parts = token.split('.')
    content = bytearray(base64.urlsafe_b64decode(parts[part] + '=='))
    content[len(content) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(content).rstrip(b'=').decode()
    return '.'.join(parts)


def changed(token: str) -> dict[str, str]:
    header, payload, signature = token.split('.')
    return {
        'header flipped': flip_a_bit(token, 0),
        'payload flipped': flip_a_bit(token, 1),
        'signature flipped': flip_a_bit(token, 2),
        'unsigned': f'{header}.{payload}.',
        'without signature': f'{header}.{payload}',
        'cut short': token[:-1],
        'longer': f'{token}A',
        'twice': f'{token}.{signature}',
        'upper case': token.upper(),
        'space behind': f'{token}%20',
        'NUL behind': f'{token}%00',
        'quoted': f"'{token}'",
        '3 kB behind': token + 'x' * 3000,
        'empty parts': '...',
        'not ASCII': '%C3%A4.%C3%A4.%C3%A4',
        'not UTF-8': '%FF.%FF.%FF',
        'resend': 'resend',
    }


def test_the_link_in_the_mail_verifies(api: ServedApi, mail_server: SmtpSink, person: Person) -> None:
    account = register(api, person)

    mail, = mail_server.wait_for(to=person.email)
    link = link_in(mail)

    assert link.startswith('http://api.test/v1/accounts/verify/')
    verified = ok(api.get(link.removeprefix('http://api.test')))
    assert (verified['id'], verified['verified']) == (account['id'], True)


def test_with_a_frontend_the_mail_leads_to_its_page_whose_button_verifies(
    serve: Serve, database_url: str, mail_server: SmtpSink, person: Person
) -> None:
    api = serve(database_url, {'FRONTEND_URL': 'https://www.site.example'})
    account = register(api, person)

    mail, = mail_server.wait_for(to=person.email)
    page, _, token = link_in(mail).partition('#')

    assert page == 'https://www.site.example/verify-email'
    assert ok(api.post(BUTTON, {'token': token})) | {'updated_at': None} == account | {'verified': True}


def test_the_token_verifies_once_by_the_button_of_a_page(
    api: ServedApi, database: connection, person: Person
) -> None:
    path = verification_path(register(api, person))
    body = {'token': path.removeprefix(VERIFY)}

    account = ok(api.post(BUTTON, body))

    assert account['verified'] and is_verified(database, person)
    for again in api.post(BUTTON, body), api.get(path):
        assert error_of(again, HTTPStatus.BAD_REQUEST) == 'Account already verified'
    log_in(api, person)


def test_the_password_from_a_page_replaces_that_of_a_stranger(
    api: ServedApi, database: connection, person: Person
) -> None:
    body = {'token': verification_path(register(api, person)).removeprefix(VERIFY)}
    weak = error_of(api.post(BUTTON, body | {'password': 'short'}), HTTPStatus.BAD_REQUEST)
    assert weak == "'password' must have at least 8 characters"
    assert not is_verified(database, person)

    assert ok(api.post(BUTTON, body | {'password': 'what the owner chose'}))['verified']

    error_of(api.post(LOGIN, person.login), HTTPStatus.UNAUTHORIZED)
    log_in(api, replace(person, password='what the owner chose'))


def test_a_page_may_send_the_registered_password_again(api: ServedApi, person: Person) -> None:
    token = verification_path(register(api, person)).removeprefix(VERIFY)

    ok(api.post(BUTTON, {'token': token, 'password': person.password}))

    log_in(api, person)


def test_a_token_in_the_body_is_refused_as_in_the_link(
    api: ServedApi, database: connection, person: Person
) -> None:
    path = verification_path(register(api, person))
    assert execute(
        database, 'UPDATE accounts SET email = %s WHERE email = %s',
        new_person().email, person.email
    )

    for token in path.removeprefix(VERIFY), 'x', 'ä', 'x' * 4096:
        link, button = api.get(VERIFY + token), api.post(BUTTON, {'token': token})
        assert error_of(button, HTTPStatus.BAD_REQUEST) == error_of(link, HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize(('body', 'message'), [
    ({}, "Expected 'token' key"),
    ({
        'token': 7
    }, "'token' must be a string"),
    ({
        'token': 'x' * 4097
    }, "'token' must have at most 4096 characters"),
    ({
        'token': 'x',
        'password': None
    }, "'password' must be a string"),
])
def test_a_button_without_a_token_or_with_a_wrong_type_is_refused(
    api: ServedApi, body: dict[str, Any], message: str
) -> None:
    assert error_of(api.post(BUTTON, body), HTTPStatus.BAD_REQUEST) == message


@pytest.mark.parametrize('kind', changed('eHh4.eHh4.eHh4'))
def test_a_token_that_was_changed_is_invalid_and_does_nothing(
    api: ServedApi, database: connection, person: Person, kind: str
) -> None:
    token = verification_path(register(api, person)).removeprefix(VERIFY)

    response = api.get(VERIFY + changed(token)[kind])

    assert error_of(response, HTTPStatus.BAD_REQUEST) == 'Invalid verification token'
    assert not is_verified(database, person)


def test_a_token_of_ten_kilobytes_is_an_error_and_does_nothing(
    api: ServedApi, database: connection, person: Person
) -> None:
    path = verification_path(register(api, person))

    assert error_of(api.get(path + 'x' * 10_000), HTTPStatus.BAD_REQUEST) == 'Invalid verification token'

    assert not is_verified(database, person)


@pytest.mark.parametrize(
    ('age', 'good'),
    [(timedelta(hours=23, minutes=59), True), (timedelta(hours=24, seconds=1), False)],
    ids=['still good', 'expired'],
)
def test_a_token_is_good_for_a_day(api: ServedApi, person: Person, age: timedelta, good: bool) -> None:
    path = verification_path(register(api, person), now=datetime.now(UTC) - age)

    if good:
        ok(api.get(path))
    else:
        assert refusal(api, path) == 'Invalid verification token'


def test_a_token_for_an_address_that_the_account_has_no_longer_is_refused(
    api: ServedApi, database: connection, person: Person
) -> None:
    path = verification_path(register(api, person))
    other = new_person().email
    statement = 'UPDATE accounts SET email = %s WHERE email = %s'
    assert execute(database, statement, other, person.email) == 1

    assert refusal(api, path) == f"No registered account with the email '{person.email}'"


def test_an_access_token_verifies_nothing(api: ServedApi, member: Member) -> None:
    assert refusal(api, VERIFY + member.token) == 'Invalid verification token'


@pytest.mark.parametrize('purpose', ['access', 'reset', 'refresh', 'Verification', ''])
def test_a_token_of_another_purpose_verifies_nothing(
    api: ServedApi, database: connection, person: Person, purpose: str
) -> None:
    account = register(api, person)
    tokens = SignedTokens(purpose, timedelta(hours=1), InvalidAccessToken, [SECRET_KEY])
    claims = {'email': person.email, 'serial': 1}
    token = tokens.issue(str(account['id']), datetime.now(UTC), claims)

    assert refusal(api, VERIFY + token) == 'Invalid verification token'
    assert not is_verified(database, person)


@pytest.mark.parametrize(
    ('subject', 'claims'),
    [
        ('x', {
            'email': 'maker@example.com',
            'serial': 1
        }),
        ('1', {
            'serial': 1
        }),
        ('1', {
            'email': 'maker@example.com'
        }),
    ],
    ids=['no number', 'no email', 'no serial'],
)
def test_a_token_with_other_claims_is_invalid_even_with_the_right_key(
    api: ServedApi, subject: str, claims: dict[str, object]
) -> None:
    tokens = SignedTokens('verification', timedelta(hours=1), InvalidAccessToken, [SECRET_KEY])

    path = VERIFY + tokens.issue(subject, datetime.now(UTC), claims)

    assert refusal(api, path) == 'Invalid verification token'


@pytest.mark.parametrize('method', ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH'])
def test_only_opening_the_link_verifies(
    api: ServedApi, database: connection, person: Person, method: str
) -> None:
    path = verification_path(register(api, person))

    answers = [api.request(method, path) for _ in range(2)]

    expected = HTTPStatus.OK if method in ('HEAD', 'OPTIONS') else HTTPStatus.METHOD_NOT_ALLOWED
    assert [response.status_code for response in answers] == [expected] * 2
    assert not is_verified(database, person)
    ok(api.get(path))


def test_head_says_nothing_about_a_token(api: ServedApi, person: Person) -> None:
    good = api.request('HEAD', verification_path(register(api, person)))
    bad = api.request('HEAD', f'{VERIFY}x')

    assert (good.status_code, good.content) == (bad.status_code, bad.content) == (HTTPStatus.OK, b'')


def test_of_eight_openings_at_once_one_verifies(api: ServedApi) -> None:
    for _ in range(3):
        person = new_person()
        path = verification_path(register(api, person))

        answers = at_once([partial(api.get, path)] * 8)

        account, = (response.json() for response in answers if response.status_code == HTTPStatus.OK)
        assert account['verified'] is True
        messages = [
            error_of(response, HTTPStatus.BAD_REQUEST) for response in answers
            if response.status_code != HTTPStatus.OK
        ]
        assert messages == ['Account already verified'] * 7


def make_time_pass(database: connection, person: Person, pause: timedelta) -> None:
    """As if the last link had been asked for so long ago."""
    statement = 'UPDATE accounts SET link_requested_at = %s WHERE email = %s'
    assert execute(database, statement, datetime.now(UTC) - pause, person.email) == 1


def serial(database: connection, person: Person) -> Any:
    return select_one(database, 'SELECT link_serial FROM accounts WHERE email = %s', person.email)


def wait_for_the_relay(database: connection) -> None:
    """Return when it has looked at every wish for a link."""
    query = "SELECT count(*) FROM outbox WHERE kind = 'verification_request' AND status = 'pending'"
    wait_until(lambda: select_one(database, query) == 0, 'no wish waits')


def test_asking_for_a_new_link_has_one_answer_whoever_asks(
    api: ServedApi, database: connection, member: Member
) -> None:
    waiting, patient = new_person(), new_person()
    register(api, waiting)
    register(api, patient)
    make_time_pass(database, patient, timedelta(hours=2))
    emails = [
        waiting.email, patient.email, patient.email, member.person.email,
        new_person().email, 'stranger@example.com', 'no address', ''
    ]

    answers = [api.post(RESEND, {'email': email}) for email in emails]

    wait_for_the_relay(database)
    assert len({response.text for response in answers}) == 1
    message = ok(answers[0], HTTPStatus.ACCEPTED)['message']
    assert 'If an account with this email waits for its verification' in message
    assert {response.status_code for response in answers} == {HTTPStatus.ACCEPTED}
    assert [serial(database, person) for person in (waiting, patient, member.person)] == [1, 2, 1]


def test_a_new_link_works_and_the_older_one_is_dead(
    api: ServedApi, database: connection, mail_server: SmtpSink, person: Person
) -> None:
    register(api, person)
    first, = mail_server.wait_for(to=person.email)
    make_time_pass(database, person, timedelta(minutes=2))

    api.post(RESEND, {'email': f' {person.email.upper()} '})
    mails = mail_server.wait_for(2, to=person.email)
    old, new = (link_in(mail).removeprefix('http://api.test') for mail in mails)

    assert mails[0]['Message-ID'] == first['Message-ID'] != mails[1]['Message-ID']
    assert refusal(api, old) == 'Invalid verification token'
    assert not is_verified(database, person)
    ok(api.get(new))
    log_in(api, person)


def test_a_link_that_was_not_mailed_yet_is_not_mailed_once_there_is_a_newer_one(
    api: ServedApi, database: connection, mail_server: SmtpSink, person: Person
) -> None:
    account = register(api, person)
    mail_server.wait_for(to=person.email)
    row = "payload = jsonb_build_object('account_id', %s, 'serial', 1)"
    query = f'SELECT status FROM outbox WHERE {row}'
    wait_until(lambda: select_one(database, query, account['id']) == 'sent', 'first mail sent')
    make_time_pass(database, person, timedelta(minutes=2))
    api.post(RESEND, {'email': person.email})
    wait_for_the_relay(database)

    statement = f"UPDATE outbox SET status = 'pending', due_at = created_at WHERE {row}"
    assert execute(database, statement, account['id']) == 1

    wait_until(lambda: select_one(database, query, account['id']) == 'obsolete', 'mail obsolete')
    assert len(mail_server.wait_for(2, to=person.email)) == 2


@pytest.mark.parametrize(('times', 'pause', 'minutes'), [(0, 1, 1), (1, 2, 2), (2, 4, 4), (6, 60, 60),
                                                         (30, 60, 60)],
                         ids=['first', 'second', 'third', 'seventh', 'many'])
def test_the_pause_between_two_links_grows_to_an_hour(
    api: ServedApi, database: connection, person: Person, times: int, pause: int, minutes: int
) -> None:
    register(api, person)
    statement = 'UPDATE accounts SET link_serial = %s WHERE email = %s'
    assert execute(database, statement, times + 1, person.email) == 1

    make_time_pass(database, person, timedelta(minutes=pause, seconds=-10))
    api.post(RESEND, {'email': person.email})
    wait_for_the_relay(database)
    too_soon = serial(database, person)
    make_time_pass(database, person, timedelta(minutes=minutes, seconds=1))
    api.post(RESEND, {'email': person.email})
    wait_for_the_relay(database)

    assert (too_soon, serial(database, person)) == (times + 1, times + 2)


def test_of_eight_requests_for_a_new_link_at_once_one_counts(
    api: ServedApi, database: connection, person: Person
) -> None:
    register(api, person)
    make_time_pass(database, person, timedelta(hours=2))

    answers = at_once([partial(api.post, RESEND, {'email': person.email})] * 8)

    assert {response.status_code for response in answers} == {HTTPStatus.ACCEPTED}
    wait_for_the_relay(database)
    assert serial(database, person) == 2


def test_a_member_is_not_mailed_a_link(api: ServedApi, database: connection, mail_server: SmtpSink) -> None:
    member = join(api)
    make_time_pass(database, member.person, timedelta(hours=2))
    query = "SELECT count(*) FROM outbox WHERE kind = 'verification' AND payload->'account_id' = to_jsonb(%s)"

    ok(api.post(RESEND, {'email': member.person.email}), HTTPStatus.ACCEPTED)
    wait_for_the_relay(database)

    assert select_one(database, query, member.account['id']) == 1
    assert [mail['To'] for mail in mail_server.mails].count(member.person.email) <= 1
