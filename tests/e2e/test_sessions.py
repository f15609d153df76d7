"""A session from the login to its end, as a browser and as a client without cookies see it."""
from http import HTTPStatus
from http.cookies import SimpleCookie

import pytest
from psycopg2.extensions import connection
from requests import Response

from tests.e2e.conftest import Serve
from tests.support.answers import TIME, error_of, ok
from tests.support.at_once import at_once
from tests.support.browser_client import COOKIE, FRONTEND, BrowserClient
from tests.support.database import execute, select_one
from tests.support.grace import prolong_grace
from tests.support.members import Member
from tests.support.served_api import ServedApi

LOGIN = '/v1/accounts/login'
TOKEN = '/v1/accounts/token'
LOGOUT = '/v1/accounts/logout'
SESSIONS = '/v1/accounts/sessions'
FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'


def bearer(token: str) -> dict[str, str]:
    return {'Authorization': f'Bearer {token}'}


def is_good(api: ServedApi, token: str) -> bool:
    response = api.get('/v1/users/me', headers=bearer(token))
    if response.status_code == HTTPStatus.OK:
        return True
    assert error_of(response, HTTPStatus.FORBIDDEN) == 'The session of this token has ended'
    return False


def age(database: connection, member: Member, interval: str) -> None:
    """As if everything in the account's sessions had happened earlier."""
    statement = """
        UPDATE sessions SET created_at = created_at - %s::interval, last_used_at = last_used_at - %s::interval,
            rotated_at = rotated_at - %s::interval, expires_at = expires_at - %s::interval
        WHERE account_id = %s
    """
    execute(database, statement, *[interval] * 4, member.account['id'])


def cookie_of(response: Response) -> dict[str, str]:
    cookie, = SimpleCookie(response.headers['Set-Cookie']).values()
    given = {name: str(value) for name, value in cookie.items() if value and name != 'expires'}
    return {'name': cookie.key, **given}


@pytest.fixture(name='browser')
def _browser(api: ServedApi, member: Member) -> BrowserClient:
    client = BrowserClient(api, user_agent=FIREFOX)
    ok(client.post(LOGIN, member.person.login))
    return client


# The login


def test_a_login_answers_as_ever_and_sets_a_cookie_that_no_script_can_read(
    api: ServedApi, member: Member
) -> None:
    response = api.post(LOGIN, member.person.login)

    assert list(ok(response)) == ['access_token']
    assert cookie_of(response) == {
        'name': COOKIE,
        'max-age': str(14 * 24 * 3600),
        'path': '/v1/accounts',
        'httponly': 'True',
        'samesite': 'Strict',
    }
    assert response.headers['Cache-Control'] == 'no-store'


def test_a_frontend_on_another_site_gets_a_cookie_of_its_own(api: ServedApi, member: Member) -> None:
    response = api.post(
        LOGIN, member.person.login, headers={
            'Origin': FRONTEND,
            'Sec-Fetch-Site': 'cross-site'
        }
    )

    attributes = [part.strip() for part in response.headers['Set-Cookie'].split(';')]
    assert {'Secure', 'HttpOnly', 'SameSite=None', 'Partitioned', 'Path=/v1/accounts'} < set(attributes)


def test_where_there_is_tls_the_cookie_is_kept_to_it(
    api_database_url: str, serve: Serve, member: Member
) -> None:
    response = serve(api_database_url, {'API_BASE_URL': 'https://api.test'}).post(LOGIN, member.person.login)

    assert response.headers['Set-Cookie'].startswith('__Secure-refresh_token=')
    assert '; Secure;' in response.headers['Set-Cookie']


def test_a_page_that_is_not_ours_logs_nobody_in(api: ServedApi, member: Member) -> None:
    response = api.post(LOGIN, member.person.login, headers={'Origin': 'https://evil.example'})

    ok(response)
    assert 'Set-Cookie' not in response.headers


def test_another_login_in_the_same_browser_ends_the_session_before(
    api: ServedApi, member: Member, browser: BrowserClient
) -> None:
    token, former = ok(browser.post(TOKEN))['access_token'], browser.refresh_token

    new_token = ok(browser.post(LOGIN, member.person.login))['access_token']

    assert not is_good(api, token)
    error_of(api.post(TOKEN, {'refresh_token': former}), HTTPStatus.UNAUTHORIZED)
    assert is_good(api, new_token) and is_good(api, ok(browser.post(TOKEN))['access_token'])
    # What is logged in elsewhere stays so.
    assert is_good(api, member.token)


@pytest.mark.parametrize('changes', [{'password': 'not the right one'}, {'refresh': 'body'}], ids=repr)
def test_a_login_that_sets_no_cookie_leaves_the_session_of_the_one_that_is_there(
    api: ServedApi, member: Member, browser: BrowserClient, changes: dict[str, str]
) -> None:
    browser.post(LOGIN, member.person.login | changes)
    browser.post(LOGIN, member.person.login, headers={'Origin': 'https://evil.example'})

    assert is_good(api, ok(browser.post(TOKEN))['access_token'])


def test_a_client_without_cookies_gets_the_token_in_the_body(api: ServedApi, member: Member) -> None:
    response = api.post(LOGIN, member.person.login | {'refresh': 'body'})

    given = ok(response)
    assert list(given) == ['access_token', 'refresh_token']
    assert 'Set-Cookie' not in response.headers

    again = api.post(TOKEN, {'refresh_token': given['refresh_token']})
    assert list(ok(again)) == ['access_token', 'refresh_token']
    assert 'Set-Cookie' not in again.headers
    assert is_good(api, again.json()['access_token'])

    assert api.post(LOGOUT, {'refresh_token': again.json()['refresh_token']}).status_code == 204
    assert not is_good(api, given['access_token'])


@pytest.mark.parametrize('refresh', ['', 'Body', True, None, ['body']], ids=repr)
def test_what_else_is_asked_for_is_an_error(api: ServedApi, member: Member, refresh: object) -> None:
    response = api.post(LOGIN, member.person.login | {'refresh': refresh})

    assert error_of(response, HTTPStatus.BAD_REQUEST) == "'refresh' must be 'cookie' or 'body'"
    assert 'Set-Cookie' not in response.headers


# The exchange


def test_a_reloaded_page_is_still_logged_in(api: ServedApi, browser: BrowserClient) -> None:
    first = browser.refresh_token

    token = ok(browser.post(TOKEN))['access_token']

    assert is_good(api, token)
    assert browser.refresh_token not in (None, first)


def test_an_old_token_ends_the_session_and_is_logged(
    api: ServedApi, database: connection, member: Member, browser: BrowserClient
) -> None:
    stolen = browser.refresh_token or ''
    token = ok(browser.post(TOKEN))['access_token']
    age(database, member, '10 seconds')

    response = api.post(TOKEN, {'refresh_token': stolen})

    assert error_of(response, HTTPStatus.UNAUTHORIZED) == 'The session has ended, please log in again'
    assert not is_good(api, token)
    error_of(browser.post(TOKEN), HTTPStatus.UNAUTHORIZED)
    assert 'refresh_token_replayed' in api.log()
    assert stolen not in api.log()
    # The session that the fixture of the member began is another family.
    assert is_good(api, member.token)


def test_the_loser_of_a_race_works_on(api: ServedApi, member: Member, browser: BrowserClient) -> None:
    prolong_grace(api, member)
    shared = browser.refresh_token or ''

    answers = at_once([lambda: api.post(TOKEN, {'refresh_token': shared})] * 4)

    for given in [ok(response) for response in answers]:
        assert is_good(api, given['access_token'])
        assert is_good(api, ok(api.post(TOKEN, {'refresh_token': given['refresh_token']}))['access_token'])


@pytest.mark.parametrize('interval', ['14 days', '91 days'])
def test_a_session_that_was_idle_for_long_is_over(
    api: ServedApi, database: connection, member: Member, browser: BrowserClient, interval: str
) -> None:
    age(database, member, interval)

    assert error_of(browser.post(TOKEN), HTTPStatus.UNAUTHORIZED).startswith('The session has ended')
    assert ok(api.get(SESSIONS, headers=member.bearer)) == []


def test_without_a_token_there_is_none_to_get(api: ServedApi, member: Member) -> None:
    for response in (api.post(TOKEN), api.post(TOKEN, {}), api.post(TOKEN, headers=member.bearer)):
        assert error_of(response, HTTPStatus.UNAUTHORIZED) == 'No refresh token provided'
    for token in (member.token, 'x', '', 'eyJh.eyJh.x', '\0'):
        response = api.post(TOKEN, {'refresh_token': token})
        assert error_of(response,
                        HTTPStatus.UNAUTHORIZED) in ('Invalid refresh token', 'No refresh token provided')
    bodies: list[object] = [{'refresh_token': None}, {'refresh_token': 1}, {'refresh_token': 'x' * 5000}, []]
    for body in bodies:
        error_of(api.post(TOKEN, body), HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize('path', [TOKEN, LOGOUT])
@pytest.mark.parametrize(
    'origin',
    [None, 'null', '', 'https://evil.example', 'http://localhost:3001', 'http://localhost:3000.evil.example']
)
def test_the_cookie_counts_from_pages_of_ours_alone(
    api: ServedApi, browser: BrowserClient, path: str, origin: str | None
) -> None:
    del browser.session.headers['Origin']
    headers = {} if origin is None else {'Origin': origin}

    response = browser.post(path, headers=headers)

    message = 'A request with the session cookie must come from one of the allowed origins'
    assert error_of(response, HTTPStatus.FORBIDDEN) == message
    assert 'Set-Cookie' not in response.headers
    assert is_good(api, ok(browser.post(TOKEN, headers={'Origin': FRONTEND}))['access_token'])


def test_a_page_of_the_api_itself_may_use_the_cookie(api: ServedApi, member: Member) -> None:
    browser = BrowserClient(api, origin='http://api.test')
    ok(browser.post(LOGIN, member.person.login))

    ok(browser.post(TOKEN))


@pytest.mark.parametrize('path', [TOKEN, LOGOUT, '/v1/accounts/logout/all'])
def test_nothing_but_a_post_does_anything(api: ServedApi, browser: BrowserClient, path: str) -> None:
    for method in ('GET', 'HEAD', 'PUT', 'DELETE'):
        response = browser.request(method, path)
        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert browser.request('OPTIONS', path).ok
    assert is_good(api, ok(browser.post(TOKEN))['access_token'])


# The end


def test_a_logout_ends_the_session_and_takes_the_cookie(
    api: ServedApi, member: Member, browser: BrowserClient
) -> None:
    token = ok(browser.post(TOKEN))['access_token']
    kept = browser.refresh_token or ''

    response = browser.post(LOGOUT)

    assert (response.status_code, response.content) == (HTTPStatus.NO_CONTENT, b'')
    assert browser.refresh_token is None
    assert not is_good(api, token)
    error_of(api.post(TOKEN, {'refresh_token': kept}), HTTPStatus.UNAUTHORIZED)
    assert is_good(api, member.token)


def test_a_logout_with_the_access_token_alone_ends_its_session(api: ServedApi, member: Member) -> None:
    response = api.post(LOGOUT, headers=member.bearer)

    assert response.status_code == HTTPStatus.NO_CONTENT
    assert not is_good(api, member.token)
    assert error_of(api.post(LOGOUT), HTTPStatus.FORBIDDEN) == 'No authorization header provided'


def test_a_logout_everywhere_ends_all_sessions(
    api: ServedApi, member: Member, browser: BrowserClient
) -> None:
    token = ok(browser.post(TOKEN))['access_token']

    response = browser.post('/v1/accounts/logout/all', headers=bearer(token))

    assert response.status_code == HTTPStatus.NO_CONTENT
    assert browser.refresh_token is None
    assert not is_good(api, token) and not is_good(api, member.token)
    assert is_good(api, ok(browser.post(LOGIN, member.person.login))['access_token'])


def test_a_logout_everywhere_wants_an_access_token(browser: BrowserClient) -> None:
    error_of(browser.post('/v1/accounts/logout/all'), HTTPStatus.FORBIDDEN)
    ok(browser.post(TOKEN))


def test_the_sessions_are_listed_and_ended_one_by_one(
    api: ServedApi, member: Member, browser: BrowserClient
) -> None:
    token = ok(browser.post(TOKEN))['access_token']

    listed = ok(browser.request('GET', SESSIONS, headers=bearer(token)))

    assert [session['current'] for session in listed] == [True, False]
    first, second = listed
    assert list(first) == ['id', 'created_at', 'last_used_at', 'device', 'address', 'current']
    assert (first['device'], first['address']) == ('Firefox on Linux', '127.0.0.1')
    assert second['device'].startswith('python-requests/')
    assert TIME.fullmatch(first['created_at']) and first['last_used_at'] > first['created_at']

    response = browser.request('DELETE', f'{SESSIONS}/{second["id"]}', headers=bearer(token))
    assert response.status_code == HTTPStatus.NO_CONTENT
    assert not is_good(api, member.token)
    assert browser.refresh_token is not None

    again = browser.request('DELETE', f'{SESSIONS}/{second["id"]}', headers=bearer(token))
    assert error_of(again, HTTPStatus.NOT_FOUND) == f'There is no session {second["id"]}'

    browser.request('DELETE', f'{SESSIONS}/{first["id"]}', headers=bearer(token))
    assert not browser.session.cookies
    assert not is_good(api, token)


def test_somebody_elses_session_cannot_be_ended(
    api: ServedApi, database: connection, author: Member, member: Member
) -> None:
    others = select_one(database, 'SELECT min(id) FROM sessions WHERE account_id = %s', author.account['id'])

    response = api.request('DELETE', f'{SESSIONS}/{others}', headers=member.bearer)

    error_of(response, HTTPStatus.NOT_FOUND)
    assert is_good(api, author.token)


def test_only_a_hash_of_the_token_is_stored(database: connection, browser: BrowserClient) -> None:
    query = "SELECT string_agg(sessions::text, '') FROM sessions"

    assert (browser.refresh_token or '').split('.')[1][:100] not in select_one(database, query)
