"""What passes for an access token: the tokens of a login, and nothing else however it is made up."""
import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from psycopg2.extensions import connection

from talelio_backend.app_account.data.jwt import SignedTokens
from talelio_backend.shared.business.identity import InvalidAccessToken
from tests.support.answers import error_of
from tests.support.database import execute
from tests.support.members import Member, publish, verification_path
from tests.support.raw_http import exchange, head
from tests.support.served_api import SECRET_KEY, ServedApi

HEADER = {'alg': 'HS256', 'typ': 'access+jwt'}
# The key of access tokens, as one who has the secret can derive it.
KEY = hmac.digest(SECRET_KEY.encode(), b'talelio_backend:access\x01', 'sha256')
NESTED = '[' * 3000 + ']' * 3000


def claims(account_id: int) -> dict[str, Any]:
    now = int(time.time())
    return {
        'iss': 'talelio_backend',
        'aud': 'talelio_backend:access',
        'sub': str(account_id),
        'iat': now,
        'exp': now + 600,
    }


def part(content: Mapping[str, object] | str | bytes) -> bytes:
    if isinstance(content, Mapping):
        content = json.dumps(content)
    if isinstance(content, str):
        content = content.encode()
    return base64.urlsafe_b64encode(content).rstrip(b'=')


def forge(
    header: Mapping[str, object] | str | bytes,
    payload: Mapping[str, object] | str | bytes,
    key: bytes = KEY,
    digest: str = 'sha256'
) -> str:
    signed = part(header) + b'.' + part(payload)
    return (signed + b'.' + part(hmac.digest(key, signed, digest))).decode()


def attempt(api: ServedApi, token: str) -> str:
    request = head('POST', '/v1/projects', f'Authorization: Bearer {token}')
    message = error_of(exchange(api.url, request), HTTPStatus.FORBIDDEN)
    assert token not in message
    return message


def test_the_forger_can_make_a_good_token_too(api: ServedApi, author: Member) -> None:
    """The proof that the tokens below are refused for what is wrong with each, and not at large."""
    token = forge(HEADER, claims(author.account['id']))

    publish(api, Member(person=author.person, account=author.account, token=token), 'A title', '')


@pytest.mark.parametrize('algorithm', ['none', 'None', 'NONE', 'nOnE', '', None, 0, ['HS256']])
@pytest.mark.parametrize('signature', ['', 'x', 'kept'])
def test_an_unsigned_token_is_refused(
    api: ServedApi, author: Member, algorithm: object, signature: str
) -> None:
    token = forge(HEADER | {'alg': algorithm}, claims(author.account['id']))
    if signature != 'kept':
        token = f'{token.rpartition(".")[0]}.{signature}'

    attempt(api, token)


@pytest.mark.parametrize(
    ('algorithm', 'digest'),
    [
        ('HS384', 'sha384'),
        ('HS512', 'sha512'),
        ('RS256', 'sha256'),
        ('ES256', 'sha256'),
        ('EdDSA', 'sha256'),
        ('hs256', 'sha256'),
        ('HS257', 'sha256'),
    ],
)
def test_another_algorithm_is_refused_even_with_the_right_key(
    api: ServedApi, author: Member, algorithm: str, digest: str
) -> None:
    token = forge(HEADER | {'alg': algorithm}, claims(author.account['id']), digest=digest)

    attempt(api, token)


TRICKS: list[dict[str, object]] = [
    {'kid': '../../../../dev/null'},
    {'kid': "' UNION SELECT '' --"},
    {'kid': 1},
    {'jku': 'http://127.0.0.1:9/keys.json'},
    {'x5u': 'http://127.0.0.1:9/chain.pem'},
    {'jwk': {'kty': 'oct', 'k': ''}},
]  # yapf: disable


@pytest.mark.parametrize('tricks', TRICKS, ids=repr)
@pytest.mark.parametrize('key', [b'', b'\0', SECRET_KEY.encode()], ids=['empty', 'NUL', 'secret'])
def test_a_header_that_names_a_key_does_not_choose_it(
    api: ServedApi, author: Member, tricks: dict[str, object], key: bytes
) -> None:
    token = forge(HEADER | tricks, claims(author.account['id']), key)

    message = attempt(api, token)
    assert message in ('Signature verification failed', 'Key ID header parameter must be a string')


STRANGE_HEADERS: list[dict[str, object]] = [
    {'typ': 'JWT'},
    {'typ': 'verification+jwt'},
    {'typ': None},
    {'typ': ['access+jwt']},
    {'crit': ['exp']},
    {'crit': []},
    {'crit': ['b64'], 'b64': False},
]  # yapf: disable


@pytest.mark.parametrize('changes', STRANGE_HEADERS, ids=repr)
def test_a_header_that_is_not_as_ours_is_refused_even_with_the_right_key(
    api: ServedApi, author: Member, changes: dict[str, object]
) -> None:
    attempt(api, forge(HEADER | changes, claims(author.account['id'])))


def test_a_header_of_eight_kilobytes_is_no_fault_of_ours(api: ServedApi, author: Member) -> None:
    token = forge(HEADER | {'padding': 'x' * 6000}, claims(author.account['id']), b'another key')
    assert len(token) > 8192

    assert attempt(api, token) == 'Signature verification failed'


@pytest.mark.parametrize(
    'header', ['', '{}', '[]', 'null', '"x"', '1', '{', b'\xff\xfe', NESTED, '{"alg":' + '1' * 5000 + '}'],
    ids=lambda header: repr(header)[:20]
)
def test_a_header_that_is_no_header_is_refused(api: ServedApi, author: Member, header: str | bytes) -> None:
    attempt(api, forge(header, claims(author.account['id'])))


@pytest.mark.parametrize(
    'payload', ['', '{}', '[]', 'null', '"x"', '1', '{', b'\xff\xfe', NESTED, '{"exp":' + '1' * 5000 + '}'],
    ids=lambda payload: repr(payload)[:20]
)
def test_a_payload_that_is_no_payload_is_refused(api: ServedApi, payload: str | bytes) -> None:
    attempt(api, forge(HEADER, payload))


@pytest.mark.parametrize('claim', ['iss', 'aud', 'sub', 'iat', 'exp'])
def test_a_claim_that_is_missing_is_named(api: ServedApi, author: Member, claim: str) -> None:
    payload = {k: v for k, v in claims(author.account['id']).items() if k != claim}

    assert f'"{claim}"' in attempt(api, forge(HEADER, payload))


WRONG_CLAIMS: dict[str, list[object]] = {
    'iss': ['another', ['talelio_backend'], None],
    'aud': ['talelio_backend', 'talelio_backend:verification', ['talelio_backend:access'], None, {}],
    'exp': [0, -1, 'tomorrow', None, [9999999999],
            float('nan'), float('-inf')],
    'iat': [9999999999, 'now', None, float('nan')],
    'nbf': [9999999999, 'now', None, float('inf')],
    'sub': [
        None, 1, ['1'], {}, '0', '-1', '2147483647', '2147483648', '9' * 30, '9' * 5000, '', 'x', '1.0',
        '1 OR 1=1', '\0'
    ],
}


@pytest.mark.parametrize(
    ('claim', 'value'),
    [(claim, value) for claim, values in WRONG_CLAIMS.items() for value in values],
    ids=lambda value: repr(value)[:20],
)
def test_a_claim_that_is_wrong_is_refused_even_with_the_right_key(
    api: ServedApi, author: Member, claim: str, value: object
) -> None:
    token = forge(HEADER, claims(author.account['id']) | {claim: value})

    response = api.post(
        '/v1/projects', {
            'title': 'A title',
            'body': ''
        }, headers={'Authorization': f'Bearer {token}'}
    )

    error_of(response, HTTPStatus.FORBIDDEN)


@pytest.mark.parametrize('purpose', ['verification', 'reset', 'refresh', 'Access', ''])
def test_a_token_of_another_purpose_is_no_bearer(api: ServedApi, author: Member, purpose: str) -> None:
    tokens = SignedTokens(purpose, timedelta(hours=1), InvalidAccessToken, [SECRET_KEY])
    token = tokens.issue(str(author.account['id']), datetime.now(UTC))

    assert attempt(api, token) == 'Signature verification failed'


def test_the_token_of_a_mail_is_no_bearer(api: ServedApi, author: Member) -> None:
    token = verification_path(author.account).rpartition('/')[2]

    assert attempt(api, token) == 'Signature verification failed'


def test_a_token_of_a_deleted_account_is_refused(
    api: ServedApi, database: connection, member: Member
) -> None:
    assert execute(database, 'DELETE FROM accounts WHERE id = %s', member.account['id']) == 1

    response = api.post('/v1/projects', {'title': 'A', 'body': ''}, headers=member.bearer)

    message = error_of(response, HTTPStatus.FORBIDDEN)
    assert message == 'The account of this token does not exist'


def test_two_authorization_headers_are_one_that_does_not_verify(api: ServedApi, author: Member) -> None:
    line = f'Authorization: Bearer {author.token}'

    error_of(exchange(api.url, head('POST', '/v1/projects', line, line)), HTTPStatus.FORBIDDEN)


def test_a_token_is_read_from_nowhere_but_the_header(api: ServedApi, author: Member) -> None:
    response = api.post(
        f'/v1/projects?access_token={author.token}&token={author.token}', {
            'title': 'A',
            'body': '',
            'access_token': author.token
        },
        cookies={'access_token': author.token}
    )

    assert error_of(response, HTTPStatus.FORBIDDEN) == 'No authorization header provided'


def test_an_account_that_waits_for_its_verification_gets_no_token(
    api: ServedApi, database: connection, member: Member
) -> None:
    # Verified no more, as an operator could decide.
    statement = 'UPDATE accounts SET verified = false WHERE id = %s'
    assert execute(database, statement, member.account['id']) == 1

    response = api.post('/v1/accounts/login', member.person.login)

    assert error_of(response, HTTPStatus.FORBIDDEN) == 'Account not verified'


def test_a_token_says_nothing_about_the_person(author: Member) -> None:
    content = json.loads(base64.urlsafe_b64decode(author.token.split('.')[1] + '=='))

    assert sorted(content) == ['aud', 'epoch', 'exp', 'iat', 'iss', 'sid', 'sub']
    assert content['exp'] - content['iat'] == 1800
