"""The operator's commands, and what the served API makes of them."""
import json
from http import HTTPStatus
from typing import Any

from tests.support.answers import ok
from tests.support.flask_command import flask
from tests.support.members import Member, log_in, publish
from tests.support.pictures import saved, scene
from tests.support.served_api import ServedApi

LOGIN = '/v1/accounts/login'
REGISTER = '/v1/accounts/register'
PASSWORD = 'another horse battery'


def done(api: ServedApi, *arguments: str, stdin: str = '') -> str:
    ended = flask(api.environ, *arguments, stdin=stdin)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_an_account_that_the_operator_makes_can_log_in_and_be_closed(api: ServedApi) -> None:
    email = 'made-by-hand@example.net'
    created: dict[str, Any] = json.loads(
        done(api, 'account', 'create', email, 'by-hand', '--password-stdin', '--json', stdin=f'{PASSWORD}\n')
    )
    assert (created['email'], created['username'], created['verified']) == (email, 'by-hand', True)
    token = ok(api.post(LOGIN, {'email': email, 'password': PASSWORD}))['access_token']
    bearer = {'Authorization': f'Bearer {token}'}
    ok(api.get('/v1/users/me', headers=bearer))

    assert done(api, 'account', 'disable', email) == f'{email} is disabled\n'

    assert api.get('/v1/users/me', headers=bearer).status_code == HTTPStatus.FORBIDDEN
    refused = api.post(LOGIN, {'email': email, 'password': PASSWORD})
    assert (refused.status_code, refused.json()['error']['message']) == (403, 'Account disabled')
    again = flask(api.environ, 'account', 'disable', email)
    assert (again.returncode, again.stderr) == (1, 'Error: The account is disabled already\n')

    done(api, 'account', 'enable', email)
    done(api, 'account', 'set-password', email, '--password-stdin', stdin='one more battery horse\n')
    assert api.post(LOGIN, {'email': email, 'password': PASSWORD}).status_code == HTTPStatus.UNAUTHORIZED
    ok(api.post(LOGIN, {'email': email, 'password': 'one more battery horse'}))
    kinds = [event['kind'] for event in json.loads(done(api, 'audit', 'list', '--account', email, '--json'))]
    assert {'account.created', 'account.disabled', 'account.enabled', 'password.changed'} <= set(kinds)

    done(api, 'account', 'delete', email, '--yes')
    assert flask(api.environ, 'account', 'show', email).returncode == 1
    assert api.post(LOGIN, {'email': email, 'password': PASSWORD}).status_code == HTTPStatus.UNAUTHORIZED


def test_a_member_who_is_deleted_takes_everything_along(api: ServedApi, member: Member) -> None:
    publish(api, member, 'A chair', '')
    photo = {'photo': saved(scene(), 'JPEG')}
    picture = ok(api.post('/v1/assets/images', files=photo, headers=member.bearer))['images'][0]
    user = ok(api.request('PUT', '/v1/users/me/avatar', files=photo, headers=member.bearer))
    urls = [picture['url'], *(each['url'] for each in picture['variants']), user['avatar_url']]
    paths = [url.removeprefix('http://api.test') for url in urls]
    assert [api.get(path).status_code for path in paths] == [200] * len(paths)

    done(api, 'account', 'delete', member.person.email, stdin='y\n')

    assert [api.get(path).status_code for path in paths] == [404] * len(paths)
    assert api.get(member.projects_path).status_code == HTTPStatus.BAD_REQUEST
    assert api.get('/v1/users/me', headers=member.bearer).status_code == HTTPStatus.FORBIDDEN


def test_without_a_yes_nothing_is_deleted(api: ServedApi, member: Member) -> None:
    assert flask(api.environ, 'account', 'delete', member.person.email, stdin='n\n').returncode == 1

    log_in(api, member.person)


def test_a_password_is_never_an_argument(api: ServedApi, member: Member) -> None:
    ended = flask(api.environ, 'account', 'set-password', member.person.email, PASSWORD)

    assert ended.returncode == 2
    log_in(api, member.person)


def test_an_address_is_let_in_and_shut_out_while_the_server_runs(api: ServedApi) -> None:
    body = {'email': 'guest@example.net', 'password': PASSWORD, 'username': 'guest-of-honour'}
    assert api.post(REGISTER, body).status_code == HTTPStatus.BAD_REQUEST

    done(api, 'whitelist', 'add', 'Guest@example.net', '--note', 'a friend', '--expires', '30d')
    listed = json.loads(done(api, 'whitelist', 'list', '--json'))
    assert [row['note'] for row in listed if row['email'] == 'guest@example.net'] == ['a friend']
    ok(api.post(REGISTER, body), HTTPStatus.CREATED)

    removed = done(api, 'whitelist', 'remove', 'guest@example.net', '--disable-account')
    assert 'may not register any more' in removed and 'is disabled' in removed
    other = api.post(REGISTER, body | {'username': 'guest-again'})
    assert error_message(other) == 'Email not whitelisted'
    assert flask(api.environ, 'whitelist', 'remove', 'guest@example.net').returncode == 1


def error_message(response: Any) -> str:
    message: str = response.json()['error']['message']
    return message
