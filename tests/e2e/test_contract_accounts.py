"""The contract's table of account calls, row by row."""
from http import HTTPStatus
from typing import Any

import pytest
from psycopg2.extensions import connection

from tests.support.answers import TIME, assert_account, error_of, ok
from tests.support.database import execute
from tests.support.members import Member, Person, new_person, register, verification_path
from tests.support.served_api import ServedApi

REGISTER = '/v1/accounts/register'
LOGIN = '/v1/accounts/login'
# Of the right form, and known to be valid for nothing.
STRANGERS_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl'


def test_registering_answers_201_with_the_unverified_account(api: ServedApi, person: Person) -> None:
    account = ok(api.post(REGISTER, person.registration), HTTPStatus.CREATED)

    assert_account(account, email=person.email, username=person.username, verified=False)
    assert account['updated_at'] is None
    assert account['user']['updated_at'] is None


@pytest.mark.parametrize(
    ('absent', 'named'),
    [
        (['email', 'password', 'username'], 'email'),
        (['email'], 'email'),
        (['email', 'username'], 'email'),
        (['password', 'username'], 'password'),
        (['password'], 'password'),
        (['username'], 'username'),
    ],
    ids=' and '.join,
)
def test_registering_without_a_key_names_the_first_one_that_is_missing(
    api: ServedApi, person: Person, absent: list[str], named: str
) -> None:
    body = {k: v for k, v in reversed(person.registration.items()) if k not in absent}

    assert error_of(api.post(REGISTER, body), HTTPStatus.BAD_REQUEST) == f"Expected '{named}' key"


def test_registering_an_unlisted_address_is_refused(api: ServedApi, person: Person) -> None:
    body = person.registration | {'email': 'stranger@example.com'}

    assert error_of(api.post(REGISTER, body), HTTPStatus.BAD_REQUEST) == 'Email not whitelisted'


def test_registering_an_address_again_is_refused_with_the_address_as_sent(
    api: ServedApi, person: Person
) -> None:
    register(api, person)
    email = person.email.upper()
    body = new_person().registration | {'email': email}

    message = error_of(api.post(REGISTER, body), HTTPStatus.BAD_REQUEST)

    assert message == f"Account with the email '{email}' already exists"


def test_registering_a_username_again_is_refused_with_the_username_as_sent(
    api: ServedApi, person: Person
) -> None:
    register(api, person)
    username = person.username.upper()
    body = new_person().registration | {'username': username}

    message = error_of(api.post(REGISTER, body), HTTPStatus.BAD_REQUEST)

    assert message == f"Account with the username '{username}' already exists"


def test_registering_checks_the_whitelist_then_the_address_then_the_username_then_the_rest(
    api: ServedApi, person: Person
) -> None:
    register(api, person)
    body = {'email': 'stranger@example.com', 'password': 'short', 'username': person.username}

    def message(**changes: str) -> str:
        return error_of(api.post(REGISTER, body | changes), HTTPStatus.BAD_REQUEST)

    messages = [
        message(),
        message(email=person.email),
        message(email=new_person().email),
        message(email=new_person().email, username='not/allowed'),
        message(email=new_person().email, username=new_person().username),
    ]

    assert messages[:3] == [
        'Email not whitelisted',
        f"Account with the email '{person.email}' already exists",
        f"Account with the username '{person.username}' already exists",
    ]
    assert "'username'" in messages[3]
    assert messages[4] == "'password' must have at least 8 characters"


def test_logging_in_answers_200_with_nothing_but_the_token(api: ServedApi, member: Member) -> None:
    response = ok(api.post(LOGIN, member.person.login))

    assert list(response) == ['access_token']
    assert response['access_token'].count('.') == 2


@pytest.mark.parametrize(
    ('body', 'named'),
    [({}, 'email'), ({
        'password': 'correct horse'
    }, 'email'), ({
        'email': 'maker@example.com'
    }, 'password')],
    ids=['both', 'email', 'password'],
)
def test_logging_in_without_a_key_names_the_first_one_that_is_missing(
    api: ServedApi, body: dict[str, str], named: str
) -> None:
    assert error_of(api.post(LOGIN, body), HTTPStatus.BAD_REQUEST) == f"Expected '{named}' key"


def test_logging_in_with_an_unknown_address_or_a_wrong_password_is_401(
    api: ServedApi, member: Member
) -> None:
    bodies = [
        member.person.login | {
            'password': 'wrong horse battery'
        },
        new_person().login,
        member.person.login | {
            'email': 'no address'
        },
    ]

    messages = {error_of(api.post(LOGIN, body), HTTPStatus.UNAUTHORIZED) for body in bodies}

    assert messages == {'Invalid username or password'}


def test_logging_in_with_the_right_password_before_the_verification_is_403_with_the_reason(
    api: ServedApi, person: Person
) -> None:
    register(api, person)

    assert error_of(api.post(LOGIN, person.login), HTTPStatus.FORBIDDEN) == 'Account not verified'


def test_verifying_answers_200_with_the_verified_account(api: ServedApi, person: Person) -> None:
    registered = register(api, person)

    account = ok(api.get(verification_path(registered)))

    assert_account(account, email=person.email, username=person.username, verified=True)
    assert TIME.fullmatch(account['updated_at'])
    assert account['updated_at'] > account['created_at']
    unchanged: dict[str, Any] = {'updated_at': None, 'verified': False}
    assert account | unchanged == registered


def test_verifying_again_is_refused(api: ServedApi, person: Person) -> None:
    path = verification_path(register(api, person))
    ok(api.get(path))

    assert error_of(api.get(path), HTTPStatus.BAD_REQUEST) == 'Account already verified'


def test_verifying_an_account_that_is_gone_is_refused_with_its_address(
    api: ServedApi, database: connection, person: Person
) -> None:
    account = register(api, person)
    assert execute(database, 'DELETE FROM accounts WHERE id = %s', account['id']) == 1

    message = error_of(api.get(verification_path(account)), HTTPStatus.BAD_REQUEST)

    assert message == f"No registered account with the email '{person.email}'"


@pytest.mark.parametrize('token', ['x', 'a.b.c', STRANGERS_TOKEN], ids=['x', 'a.b.c', 'strange'])
def test_verifying_with_anything_that_is_no_token_of_ours_is_refused(api: ServedApi, token: str) -> None:
    response = api.get(f'/v1/accounts/verify/{token}')

    assert error_of(response, HTTPStatus.BAD_REQUEST) == 'Invalid verification token'
