"""The key that signs tokens is changed: nobody is logged out until the old key is taken away."""
from datetime import UTC, datetime
from http import HTTPStatus

from tests.e2e.conftest import Serve, end
from tests.support.answers import error_of, ok
from tests.support.members import Member, join, new_person, register, verification_path
from tests.support.served_api import SECRET_KEY, ServedApi

NEW_KEY = 'another key that is for the tests alone: 9876543210'
ME = '/v1/users/me'
TOKEN = '/v1/accounts/token'


def restart(api: ServedApi, **environ: str) -> None:
    end(api)
    api.environ |= environ
    api.start()


def refresh_token_of(api: ServedApi, member: Member) -> str:
    response = ok(api.post('/v1/accounts/login', member.person.login | {'refresh': 'body'}))
    return str(response['refresh_token'])


def test_both_keys_are_good_until_the_old_one_is_taken_away(serve: Serve, database_url: str) -> None:
    api = serve(database_url)
    member = join(api)
    refresh, unused_refresh = (refresh_token_of(api, member) for _ in range(2))
    # The helper signs with the old key, whatever the server does.
    first, second = (verification_path(register(api, new_person()), now=datetime.now(UTC)) for _ in range(2))

    restart(api, SECRET_KEY=NEW_KEY, SECRET_KEY_PREVIOUS=SECRET_KEY)
    ok(api.get(ME, headers=member.bearer))
    ok(api.get(first))
    renewed = ok(api.post(TOKEN, {'refresh_token': refresh}))
    new_bearer = {'Authorization': f'Bearer {renewed["access_token"]}'}

    restart(api, SECRET_KEY_PREVIOUS='')
    ok(api.get(ME, headers=new_bearer))
    ok(api.post(TOKEN, {'refresh_token': renewed['refresh_token']}))
    message = error_of(api.get(ME, headers=member.bearer), HTTPStatus.FORBIDDEN)
    assert message == 'Signature verification failed'
    assert error_of(api.get(second), HTTPStatus.BAD_REQUEST) == 'Invalid verification token'
    error_of(api.post(TOKEN, {'refresh_token': unused_refresh}), HTTPStatus.UNAUTHORIZED)
    ok(api.post('/v1/accounts/login', member.person.login))
