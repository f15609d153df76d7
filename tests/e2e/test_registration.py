"""Who can register, with what, and what is left of many tries at once."""
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
from psycopg2.extensions import connection

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import select_one
from tests.support.members import Person, join, log_in, new_person, register, verification_path
from tests.support.prometheus import METRICS, total
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import wait_until

REGISTER = '/v1/accounts/register'
LOGIN = '/v1/accounts/login'
COUNT_OF_MAILS = 'SELECT count(*) FROM outbox WHERE payload->\'account_id\' = to_jsonb(%s)'


def hashes_of(api: ServedApi) -> float:
    """How many passwords were hashed, in all workers."""
    return total(api, 'talelio_work_duration_seconds_count', what='passwords')


def refusal(api: ServedApi, body: object) -> str:
    return error_of(api.post(REGISTER, body), HTTPStatus.BAD_REQUEST)


def test_refusals_are_the_same_whether_an_account_exists_and_come_before_any_hash(
    api: ServedApi, api_database_url: str, serve: Serve
) -> None:
    removed, present = join(api).person, join(api).person
    listed = new_person()
    whitelist = f'{present.email}, {listed.email}'
    counting = serve(api_database_url, METRICS | {'WHITELISTED_EMAILS': whitelist})
    unlisted = [removed.registration, new_person().registration]
    refused = [
        present.registration,
        listed.registration | {
            'username': present.username
        },
        listed.registration | {
            'username': 'not/allowed'
        },
        listed.registration | {
            'password': 'password1'
        },
        listed.registration | {
            'password': 'x' * 1_000_000
        },
    ]

    answers = [counting.post(REGISTER, body) for body in unlisted]
    for body in refused:
        refusal(counting, body)

    assert {response.text for response in answers} == {answers[0].text}
    assert error_of(answers[0], HTTPStatus.BAD_REQUEST) == 'Email not whitelisted'
    assert hashes_of(counting) == 0
    register(counting, listed)
    assert hashes_of(counting) == 1


@pytest.mark.parametrize('form', ['{}', ' {} ', '\t{}\n', '{}'.upper()], ids=repr)
def test_letter_case_and_space_around_an_address_make_no_other_account(api: ServedApi, form: str) -> None:
    person = new_person()
    spellings = [form.format(spelling) for spelling in (person.email, person.email.title())]

    account = ok(api.post(REGISTER, person.registration | {'email': spellings[1]}), HTTPStatus.CREATED)

    assert account['email'] == person.email
    for spelling in [*spellings, person.email]:
        message = refusal(api, new_person().registration | {'email': spelling})
        assert message == f"Account with the email '{spelling}' already exists"
    ok(api.get(verification_path(account)))
    for spelling in [*spellings, person.email]:
        ok(api.post(LOGIN, person.login | {'email': spelling}))


@pytest.mark.parametrize(
    ('first', 'second', 'canonical'),
    [
        ('maker@BÜCHER.example', 'Maker@xn--bcher-kva.example', 'maker@xn--bcher-kva.example'),
        ('writer@XN--mller-kva.example', 'writer@müller.example', 'writer@xn--mller-kva.example'),
    ],
    ids=['unicode first', 'punycode first'],
)
def test_an_international_domain_and_its_punycode_are_one_address(
    api: ServedApi, mail_server: SmtpSink, first: str, second: str, canonical: str
) -> None:
    account = ok(api.post(REGISTER, new_person().registration | {'email': first}), HTTPStatus.CREATED)

    assert account['email'] == canonical
    message = refusal(api, new_person().registration | {'email': second})
    assert message == f"Account with the email '{second}' already exists"
    mail, = mail_server.wait_for(to=canonical)
    assert ok(api.get(link_in(mail).removeprefix('http://api.test')))['verified'] is True


def test_an_address_may_have_letters_outside_of_ascii(api: ServedApi, mail_server: SmtpSink) -> None:
    person = Person(email='grüße@example.com', username=new_person().username)
    register(api, person)

    mail, = mail_server.wait_for(to=person.email)
    ok(api.get(link_in(mail).removeprefix('http://api.test')))
    log_in(api, person)


@pytest.mark.parametrize(
    'form', [
        '{}\r\nBcc: {}',
        '{}\nBcc: {}',
        '{}, {}',
        '{}\r\n\r\ntext {}',
        '"x\r\nBcc: {}"@example.com',
        'x@example.com\r{}',
        'Bcc: {}',
        '<{}>',
        'A name <{}>',
    ],
    ids=repr
)
def test_an_address_with_a_line_break_or_a_second_address_is_refused(
    api: ServedApi, person: Person, form: str
) -> None:
    email = form.format(person.email, person.email)

    assert refusal(api, person.registration | {'email': email}) == 'Email not whitelisted'


def test_a_mail_has_one_recipient_and_no_header_beside_those_of_every_mail(
    api: ServedApi, mail_server: SmtpSink, person: Person
) -> None:
    # What surrounds an address does not count; nothing of it may come through.
    body = person.registration | {'email': f'\r\n {person.email} \r\n'}
    ok(api.post(REGISTER, body), HTTPStatus.CREATED)

    mail, = mail_server.wait_for(to=person.email)

    assert sorted(name.lower() for name in mail.keys() if not name.startswith('X-')) == [
        'auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'
    ]
    assert mail['From'] == 'Maker <noreply@api.test>'


@pytest.mark.parametrize('key', ['email', 'password', 'username'])
@pytest.mark.parametrize('value', [['x'], {'x': 'y'}, True, 1, 1.5, None], ids=repr)
def test_a_value_that_is_no_string_is_refused(
    api: ServedApi, person: Person, key: str, value: object
) -> None:
    assert refusal(api, person.registration | {key: value}) == f"'{key}' must be a string"


def test_keys_beyond_those_asked_for_change_nothing(api: ServedApi, person: Person) -> None:
    extra: dict[str, Any] = {
        'id': 1,
        'verified': True,
        'updated_at': '2020-01-01',
        'account_id': 1,
        'link_serial': 9,
        'password_hash': 'x',
        'location': 'elsewhere',
        'user': {
            'id': 1,
            'avatar_url': 'x'
        },
        '': None,
    }

    account = ok(api.post(REGISTER, person.registration | extra), HTTPStatus.CREATED)

    assert account['verified'] is False and account['updated_at'] is None
    assert account['id'] > 1 and account['user']['id'] > 1
    assert account['user']['location'] == '' and account['user']['avatar_url'] == 'default.jpg'
    assert error_of(api.post(LOGIN, person.login), HTTPStatus.FORBIDDEN) == 'Account not verified'


@pytest.mark.parametrize(
    ('username', 'rule'),
    [
        ('', 'must have 1 to 64 characters'),
        ('x' * 65, 'must have 1 to 64 characters'),
        ('x' * 1_000_000, 'must have 1 to 64 characters'),
        ('a/b', 'may hold the letters'),
        ('..', 'may hold the letters'),
        ('a..b', 'may hold the letters'),
        ('.hidden', 'may hold the letters'),
        ('a b', 'may hold the letters'),
        (' a', 'may hold the letters'),
        ('a\n', 'may hold the letters'),
        ('a\r\nBcc: b', 'may hold the letters'),
        ('a\u200bb', 'may hold the letters'),
        ('\u0430dmin', 'may hold the letters'),
        ('%2e%2e', 'may hold the letters'),
        ('<b>', 'may hold the letters'),
        ('me', 'reserved word'),
        ('admin', 'reserved word'),
        ('Admin', 'reserved word'),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_username_that_breaks_a_rule_is_refused_with_the_rule(
    api: ServedApi, person: Person, username: str, rule: str
) -> None:
    message = refusal(api, person.registration | {'username': username})

    assert message.startswith("'username' ") and rule in message
    assert len(message) < 200


@pytest.mark.parametrize('form', ['{}', '{}.b_c-d', '{}' + 'x' * 50], ids=repr)
def test_a_username_within_the_rules_is_taken_and_found(api: ServedApi, person: Person, form: str) -> None:
    username = form.format(person.username)

    account = ok(api.post(REGISTER, person.registration | {'username': username}), HTTPStatus.CREATED)

    assert account['user']['username'] == username
    assert ok(api.get(f'/v1/users/{username}/projects')) == []


@pytest.mark.parametrize(
    ('password', 'rule'),
    [
        ('', 'must have at least 8 characters'),
        ('seven77', 'must have at least 8 characters'),
        ('x' * 1025, 'must have at most 1024 characters'),
        ('x' * 1_000_000, 'must have at most 1024 characters'),
        ('password', 'is one of the most used passwords'),
        ('PassWord1', 'is one of the most used passwords'),
        ('12345678', 'is one of the most used passwords'),
        ('qwertyuiop', 'is one of the most used passwords'),
        ('iloveyou', 'is one of the most used passwords'),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_weak_password_is_refused_with_the_rule_and_not_repeated(
    api: ServedApi, person: Person, password: str, rule: str
) -> None:
    message = refusal(api, person.registration | {'password': password})

    assert message == f"'password' {rule}"


@pytest.mark.parametrize('name', ['email', 'username'])
def test_a_password_that_is_the_name_on_the_account_is_refused(
    api: ServedApi, person: Person, name: str
) -> None:
    body = person.registration | {'password': person.registration[name].upper()}

    assert refusal(api, body) == "'password' must not be the email or the username"


@pytest.mark.parametrize(
    ('right', 'wrong'),
    [
        ('x' * 72 + 'a', 'x' * 72 + 'b'),
        ('x' * 72 + 'a', 'x' * 72),
        ('x' * 1023 + 'a', 'x' * 1023 + 'b'),
        ('ä' * 40 + 'a', 'ä' * 40 + 'b'),
        (' eight ch ', 'eight ch'),
    ],
    ids=['73 bytes', 'one more', '1024', 'umlauts', 'space'],
)
def test_every_byte_of_a_password_counts(api: ServedApi, right: str, wrong: str) -> None:
    someone = new_person()
    person = Person(email=someone.email, username=someone.username, password=right)
    join(api, person)

    response = api.post(LOGIN, person.login | {'password': wrong})

    assert error_of(response, HTTPStatus.UNAUTHORIZED) == 'Invalid username or password'


def test_of_eight_identical_registrations_at_once_one_is_made_and_one_mail_sent(
    api: ServedApi, database: connection, mail_server: SmtpSink
) -> None:
    person = new_person()

    answers = at_once([partial(api.post, REGISTER, person.registration)] * 8)

    account, = (response.json() for response in answers if response.status_code == HTTPStatus.CREATED)
    assert account['email'] == person.email
    messages = [
        error_of(response, HTTPStatus.BAD_REQUEST) for response in answers
        if response.status_code != HTTPStatus.CREATED
    ]
    assert messages == [f"Account with the email '{person.email}' already exists"] * 7
    assert select_one(database, COUNT_OF_MAILS, account['id']) == 1
    mail_server.wait_for(to=person.email)
    query = 'SELECT status FROM outbox WHERE payload->\'account_id\' = to_jsonb(%s)'
    wait_until(lambda: select_one(database, query, account['id']) == 'sent', 'mail sent')
    assert len(mail_server.wait_for(to=person.email)) == 1


def test_of_eight_people_who_want_one_username_at_once_one_gets_it(
    api: ServedApi, database: connection
) -> None:
    people = [new_person() for _ in range(8)]
    username = people[0].username
    bodies = [
        person.registration | {
            'username': username if number % 2 else username.upper()
        } for number, person in enumerate(people)
    ]

    answers = at_once([partial(api.post, REGISTER, body) for body in bodies])

    made = [response.status_code == HTTPStatus.CREATED for response in answers]
    assert sum(made) == 1
    for body, response in zip(bodies, answers, strict=True):
        if response.status_code != HTTPStatus.CREATED:
            message = error_of(response, HTTPStatus.BAD_REQUEST)
            assert message == f"Account with the username '{body['username']}' already exists"
    # Nothing is left of the seven: each can still register, under another name.
    emails = [person.email for person in people]
    query = 'SELECT count(*) FROM accounts WHERE email = ANY(%s)'
    assert select_one(database, query, emails) == 1
    loser = people[made.index(False)]
    body = loser.registration | {'username': new_person().username}
    ok(api.post(REGISTER, body), HTTPStatus.CREATED)


def test_a_stranger_who_registers_first_gets_nothing_and_the_owner_of_the_mailbox_gets_in(
    api: ServedApi, mail_server: SmtpSink
) -> None:
    owner = new_person()
    stranger = Person(email=owner.email, username=new_person().username, password='what the stranger chose')
    register(api, stranger)
    response = api.post(LOGIN, stranger.login)
    assert error_of(response, HTTPStatus.FORBIDDEN) == 'Account not verified'

    mail, = mail_server.wait_for(to=owner.email)
    link = link_in(mail).removeprefix('http://api.test')
    body = {'password': owner.password, 'username': owner.username}
    account = ok(api.post(link, body))

    assert account['verified'] is True
    assert account['user']['username'] == owner.username
    log_in(api, owner)
    response = api.post(LOGIN, stranger.login)
    assert error_of(response, HTTPStatus.UNAUTHORIZED) == 'Invalid username or password'
    assert error_of(
        api.get(f'/v1/users/{stranger.username}/projects'), HTTPStatus.BAD_REQUEST
    ) == f"User '{stranger.username}' does not exist"
    # The link has done its work for either.
    assert error_of(api.post(link, body), HTTPStatus.BAD_REQUEST) == 'Account already verified'
    assert error_of(api.get(link), HTTPStatus.BAD_REQUEST) == 'Account already verified'


def test_a_takeover_may_leave_the_username(api: ServedApi, person: Person) -> None:
    link = verification_path(register(api, person))

    account = ok(api.post(link, {'password': 'what the owner chose'}))

    assert account['user']['username'] == person.username
    ok(api.post(LOGIN, {'email': person.email, 'password': 'what the owner chose'}))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({
            'password': 'short'
        }, "'password' must have at least 8 characters"),
        ({
            'password': 1
        }, "'password' must be a string"),
        ({
            'username': 'admin'
        }, "'username' must not be the reserved word 'admin'"),
        ({
            'username': 1
        }, "'username' must be a string"),
    ],
    ids=['short', 'number', 'reserved', 'numeric name'],
)
def test_a_takeover_keeps_the_rules_of_a_registration(
    api: ServedApi, person: Person, changes: dict[str, object], message: str
) -> None:
    link = verification_path(register(api, person))

    response = api.post(link, {'password': 'what the owner chose', 'username': 'x'} | changes)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == message
    response = api.post(LOGIN, person.login)
    assert error_of(response, HTTPStatus.FORBIDDEN) == 'Account not verified'


def test_a_takeover_cannot_take_a_username_that_somebody_has(api: ServedApi, person: Person) -> None:
    taken = join(api).person.username
    link = verification_path(register(api, person))

    response = api.post(link, {'password': 'what the owner chose', 'username': taken})

    message = error_of(response, HTTPStatus.BAD_REQUEST)
    assert message == f"Account with the username '{taken}' already exists"


def test_of_a_takeover_and_a_verification_at_once_one_counts(api: ServedApi) -> None:
    for _ in range(4):
        person = new_person()
        link = verification_path(register(api, person))
        chosen = {'password': 'what the owner chose'}

        answers = at_once([partial(api.post, link, chosen), partial(api.get, link)] * 4)

        winners = [response for response in answers if response.status_code == HTTPStatus.OK]
        assert len(winners) == 1
        right, wrong = (chosen['password'], person.password)
        if winners[0].request.method == 'GET':
            right, wrong = wrong, right
        ok(api.post(LOGIN, person.login | {'password': right}))
        response = api.post(LOGIN, person.login | {'password': wrong})
        error_of(response, HTTPStatus.UNAUTHORIZED)
