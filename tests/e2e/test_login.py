"""What a login tells to somebody who does not know the password: nothing."""
from http import HTTPStatus

import pytest
from psycopg2.extensions import connection
from requests import Response

from tests.support.answers import error_of, ok
from tests.support.database import execute
from tests.support.members import Member, Person, join, new_person, publish, register
from tests.support.served_api import ServedApi

LOGIN = '/v1/accounts/login'

# The count of a network goes down with each try.
_DIFFERENT = ('Date', 'X-Request-ID', 'RateLimit')


def without_what_always_differs(response: Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in response.headers.items() if name not in _DIFFERENT}
    return response.status_code, response.content, headers


def test_every_failure_is_the_same_to_the_byte(api: ServedApi, member: Member) -> None:
    unverified = new_person()
    register(api, unverified)
    wrong = {'password': 'wrong horse battery staple'}
    bodies = [
        member.person.login | wrong,
        unverified.login | wrong,
        new_person().login,
        new_person().login | {
            'email': 'stranger@example.com'
        },
        member.person.login | {
            'email': 'no address'
        },
        member.person.login | {
            'email': ''
        },
        member.person.login | {
            'password': ''
        },
        member.person.login | {
            'password': 'x' * 1024
        },
    ]

    answers = [api.post(LOGIN, body) for body in bodies]

    error_of(answers[0], HTTPStatus.UNAUTHORIZED)
    first = without_what_always_differs(answers[0])
    assert [without_what_always_differs(response) for response in answers] == [first] * len(bodies)


@pytest.mark.parametrize(
    'password', [
        'correct horse battery',
        'Correct horse battery staple',
        'correct horse battery staple ',
        'correct horse battery staple\x01',
    ],
    ids=repr
)
def test_a_password_that_is_nearly_right_is_wrong(api: ServedApi, member: Member, password: str) -> None:
    response = api.post(LOGIN, member.person.login | {'password': password})

    error_of(response, HTTPStatus.UNAUTHORIZED)


def test_one_password_typed_on_two_keyboards_is_one_password(api: ServedApi) -> None:
    someone = new_person()
    # In one code point, and in two.
    person = Person(email=someone.email, username=someone.username, password='caf\u00e9 au lait')
    join(api, person)

    ok(api.post(LOGIN, person.login | {'password': 'cafe\u0301 au lait'}))


def test_every_login_gives_a_token_and_all_of_them_work(api: ServedApi, member: Member) -> None:
    tokens = [ok(api.post(LOGIN, member.person.login))['access_token'] for _ in range(2)]

    for token in [member.token, *tokens]:
        publish(api, Member(person=member.person, account=member.account, token=token), 'A', '')


@pytest.mark.parametrize('stored', ['', 'x', '$2b$', '$2b$04$tooshort', '$1$salt$hash'], ids=repr)
def test_a_hash_that_was_damaged_lets_nobody_in(
    api: ServedApi, database: connection, member: Member, stored: str
) -> None:
    statement = 'UPDATE accounts SET password_hash = %s WHERE id = %s'
    assert execute(database, statement, stored, member.account['id']) == 1

    for password in (member.person.password, '', stored):
        response = api.post(LOGIN, member.person.login | {'password': password})
        error_of(response, HTTPStatus.UNAUTHORIZED)
