"""What one does with one's own account: look at it, change the password, leave."""
from functools import partial
from http import HTTPStatus

import pytest
from psycopg2.extensions import connection
from requests import Response

from tests.support.answers import assert_account, error_of, ok
from tests.support.at_once import at_once
from tests.support.browser_client import BrowserClient
from tests.support.database import select_one
from tests.support.members import Member, join, log_in, new_person, publish, register
from tests.support.pictures import saved, scene
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink

LOGIN = '/v1/accounts/login'
TOKEN = '/v1/accounts/token'
ME = '/v1/accounts/me'
PASSWORD = '/v1/accounts/password'
NEW = 'another pass phrase'


def change(api: ServedApi, member: Member, current: str, new: str = NEW) -> Response:
    body = {'current_password': current, 'new_password': new}
    return api.request('PUT', PASSWORD, json=body, headers=member.bearer)


def test_one_sees_ones_own_account(api: ServedApi, member: Member) -> None:
    account = ok(api.get(ME, headers=member.bearer))

    assert_account(account, email=member.person.email, username=member.person.username, verified=True)
    error_of(api.get(ME), HTTPStatus.FORBIDDEN)


# The password


def test_a_new_password_ends_all_but_the_session_at_hand(
    api: ServedApi, mail_server: SmtpSink, member: Member
) -> None:
    here, elsewhere = BrowserClient(api), BrowserClient(api)
    token, other_token = (
        ok(each.post(LOGIN, member.person.login))['access_token'] for each in (here, elsewhere)
    )

    response = here.request(
        'PUT',
        PASSWORD,
        json={
            'current_password': member.person.password,
            'new_password': NEW
        },
        headers={'Authorization': f'Bearer {token}'}
    )

    new_token = ok(response)['access_token']
    for old in (token, other_token, member.token):
        refused = api.get(ME, headers={'Authorization': f'Bearer {old}'})
        assert error_of(refused, HTTPStatus.FORBIDDEN) == 'The session of this token has ended'
    ok(api.get(ME, headers={'Authorization': f'Bearer {new_token}'}))
    ok(here.post(TOKEN))
    error_of(elsewhere.post(TOKEN), HTTPStatus.UNAUTHORIZED)
    error_of(api.post(LOGIN, member.person.login), HTTPStatus.UNAUTHORIZED)
    ok(api.post(LOGIN, member.person.login | {'password': NEW}))
    mail_server.wait_for_subject('Your password for api.test was changed', to=member.person.email)


def test_a_wrong_or_weak_password_changes_nothing(api: ServedApi, member: Member) -> None:
    for current, new, message in (
        ('wrong', NEW, 'Wrong password'),
        ('', NEW, 'Wrong password'),
        (member.person.password, 'password1', 'one of the most used'),
        (member.person.password, 'short', 'at least 8'),
        (member.person.password, member.person.email, 'must not be the email'),
    ):
        response = change(api, member, current, new)
        assert message in error_of(response, HTTPStatus.BAD_REQUEST)
    error_of(api.request('PUT', PASSWORD, headers=member.bearer), HTTPStatus.BAD_REQUEST)
    ok(api.get(ME, headers=member.bearer))
    log_in(api, member.person)


def test_of_two_tabs_that_change_it_at_once_one_succeeds(api: ServedApi, member: Member) -> None:
    passwords = [f'{NEW} {number}' for number in range(4)]

    answers = at_once([partial(change, api, member, member.person.password, new) for new in passwords])

    assert [response.status_code for response in answers].count(HTTPStatus.OK) == 1
    assert {response.status_code for response in answers} <= {200, 400, 403, 503}
    logins = [api.post(LOGIN, member.person.login | {'password': password}) for password in passwords]
    assert [login.status_code == 200
            for login in logins] == [response.status_code == 200 for response in answers]


# Leaving


def test_whoever_leaves_takes_everything_along(api: ServedApi, database: connection, member: Member) -> None:
    publish(api, member, 'A chair', 'body')
    picture = ok(
        api.post('/v1/assets/images', files={'photo': saved(scene(), 'JPEG')}, headers=member.bearer)
    )['images'][0]
    avatar = ok(
        api.request(
            'PUT', '/v1/users/me/avatar', files={'me': saved(scene(), 'JPEG')}, headers=member.bearer
        )
    )
    keyed = {**member.bearer, 'Idempotency-Key': 'a-chair'}
    ok(api.post('/v1/projects', {'title': 'Another', 'body': ''}, headers=keyed), HTTPStatus.CREATED)
    urls = [picture['url'], *(each['url'] for each in picture['variants']), avatar['avatar_url']]
    paths = [url.removeprefix('http://api.test') for url in urls]
    assert [api.get(path).status_code for path in paths] == [200] * len(paths)
    browser = BrowserClient(api)
    ok(browser.post(LOGIN, member.person.login))

    response = browser.request('DELETE', ME, json={'password': member.person.password}, headers=member.bearer)

    assert (response.status_code, response.content) == (HTTPStatus.NO_CONTENT, b'')
    assert browser.refresh_token is None
    assert [api.get(path).status_code for path in paths] == [404] * len(paths)
    assert error_of(api.get(ME, headers=member.bearer),
                    HTTPStatus.FORBIDDEN) == ('The account of this token does not exist')
    error_of(api.get(member.projects_path), HTTPStatus.BAD_REQUEST)
    error_of(api.post(LOGIN, member.person.login), HTTPStatus.UNAUTHORIZED)
    for table, column in (('accounts', 'id'), ('users', 'account_id'), ('sessions', 'account_id')):
        query = f'SELECT count(*) FROM {table} WHERE {column} = %s'
        assert select_one(database, query, member.account['id']) == 0
    answers = 'SELECT count(*) FROM idempotency_claims WHERE scope = %s'
    assert select_one(database, answers, f"account {member.account['id']}") == 0
    # The address and the name are free again.
    register(api, member.person)


@pytest.mark.parametrize('body', [{'password': 'wrong'}, {'password': ''}, {}, None], ids=repr)
def test_nobody_leaves_without_the_password(
    api: ServedApi, member: Member, body: dict[str, str] | None
) -> None:
    response = api.request('DELETE', ME, json=body, headers=member.bearer)

    error_of(response, HTTPStatus.BAD_REQUEST)
    ok(api.get(ME, headers=member.bearer))


def test_of_two_tabs_that_leave_at_once_both_hear_that_it_is_done(api: ServedApi) -> None:
    member = join(api, new_person())
    body = {'password': member.person.password}

    answers = at_once([lambda: api.request('DELETE', ME, json=body, headers=member.bearer)] * 2)

    assert HTTPStatus.NO_CONTENT in {response.status_code for response in answers}
    assert {response.status_code for response in answers} <= {204, 403, 503}
