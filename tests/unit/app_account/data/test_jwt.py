import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from talelio_backend.app_account.business.ports import LinkPurpose
from talelio_backend.app_account.data.jwt import JwtAccessTokens, JwtLinkTokens, SignedTokens
from talelio_backend.shared.business.identity import Identity, InvalidAccessToken
from tests.support.served_api import SECRET_KEY

NOW = datetime.now(UTC)
# Seconds, in the year 2242. A constant keeps the names of the tests stable.
FAR_AHEAD = 2**33
OLD_KEY = 'the key before: 0123456789abcdefghijk'
TOKENS = SignedTokens('access', timedelta(minutes=30), InvalidAccessToken, [SECRET_KEY])
CLAIMS: dict[str, Any] = {
    'iss': 'talelio_backend',
    'aud': 'talelio_backend:access',
    'sub': '1',
    'iat': int(NOW.timestamp()),
    'exp': int((NOW + timedelta(minutes=30)).timestamp()),
}


def forge(*, without: str | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Sign a possibly invalid token with the right key."""
    claims = {k: v for k, v in {**CLAIMS, **changes}.items() if k != without}
    key = TOKENS.keys[0]
    return jwt.encode(claims, key, headers={'typ': 'access+jwt', **(header or {})})


def raw(header: object, payload: object, signature: bytes = b'') -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return '.'.join(base64.urlsafe_b64encode(part).rstrip(b'=').decode() for part in parts)


def signed(header: object, payload: object) -> str:
    """Sign a token without the corrections that PyJWT makes."""
    signing_input = raw(header, payload).rpartition('.')[0]
    signature = hmac.digest(TOKENS.keys[0], signing_input.encode(), 'sha256')
    return raw(header, payload, signature)


def message_for(token: str) -> str:
    with pytest.raises(InvalidAccessToken) as caught:
        TOKENS.read(token)
    return str(caught.value)


def test_a_token_carries_its_subject_and_claims() -> None:
    subject, claims = TOKENS.read(TOKENS.issue('7', NOW, {'colour': 'blue'}))

    assert (subject, claims['colour']) == (7, 'blue')
    assert claims['exp'] - claims['iat'] == 1800


def test_the_forging_helper_makes_valid_tokens() -> None:
    assert TOKENS.read(forge())[0] == 1


def test_an_expired_token_is_reported_by_pyjwts_message() -> None:
    assert message_for(TOKENS.issue('1', NOW - timedelta(hours=1))) == 'Signature has expired'


@pytest.mark.parametrize(('ahead', 'expected'), [(55, None), (90, 'The token is not yet valid (iat)')])
def test_the_clock_of_another_host_may_be_a_minute_ahead(ahead: int, expected: str | None) -> None:
    token = TOKENS.issue('1', datetime.now(UTC) + timedelta(seconds=ahead))

    if expected is None:
        assert TOKENS.read(token)[0] == 1
    else:
        assert message_for(token) == expected


def test_a_token_of_a_host_whose_clock_is_behind_ends_by_the_clock_of_the_reader() -> None:
    lifetime = timedelta(minutes=30)

    assert TOKENS.read(TOKENS.issue('1', datetime.now(UTC) - lifetime + timedelta(minutes=1)))[0] == 1
    assert message_for(TOKENS.issue('1', datetime.now(UTC) - lifetime)) == 'Signature has expired'


def test_a_modified_token_is_reported_by_pyjwts_message() -> None:
    head, payload, signature = TOKENS.issue('1', NOW).split('.')
    flipped = ('B' if signature[0] == 'A' else 'A') + signature[1:]

    assert message_for(f'{head}.{payload}.{flipped}') == 'Signature verification failed'


@pytest.mark.parametrize('claim', ['iss', 'aud', 'sub', 'iat', 'exp'])
def test_every_claim_is_required(claim: str) -> None:
    assert message_for(forge(without=claim)) == f'Token is missing the "{claim}" claim'


@pytest.mark.parametrize(
    'changes',
    [
        {'iss': 'another'},
        {'aud': 'talelio_backend:verification'},
        {'aud': ['talelio_backend:access', 'another']},
        {'sub': 1},
        {'sub': None},
        {'exp': 'soon'},
        {'exp': 1e400},
        {'exp': 1e308},
        {'exp': str(FAR_AHEAD)},
        {'exp': FAR_AHEAD + 0.5},
        {'exp': 10**15},
        {'iat': True},
        {'iat': -1},
        {'iat': 'now'},
        {'iat': FAR_AHEAD},
        {'nbf': FAR_AHEAD},
        {'header': {'typ': 'JWT'}},
        {'header': {'typ': 'verification+jwt'}},
        {'header': {'typ': None}},
        {'header': {'crit': ['b64'], 'b64': True}},
        {'header': {'crit': ['exp']}},
        {'header': {'crit': []}},
    ],
    ids=str,
)  # yapf: disable
def test_an_invalid_claim_or_header_is_refused(changes: dict[str, Any]) -> None:
    assert message_for(forge(**changes))


@pytest.mark.parametrize(
    'token',
    [
        '', '.', '..', '...', 'x', 'a.b.c', 'eyJ.eyJ.x', '\ud800.é.ü', 'x' * 8192,
        raw({'alg': 'none', 'typ': 'access+jwt'}, CLAIMS),
        raw({'alg': 'None', 'typ': 'access+jwt'}, CLAIMS),
        raw({'typ': 'access+jwt'}, CLAIMS),
        raw({'alg': 'HS512', 'typ': 'access+jwt'}, CLAIMS, b'x' * 64),
        raw({'alg': 'RS256', 'typ': 'access+jwt'}, CLAIMS, b'x' * 256),
        raw({'alg': 'HS256', 'jku': 'http://x/keys', 'kid': '../../dev/null'}, CLAIMS, b'x' * 32),
        raw({'alg': ['HS256']}, CLAIMS),
        raw({'alg': 'HS256', 'kid': 7}, CLAIMS),
        raw([], CLAIMS),
        raw('HS256', CLAIMS),
        raw({'alg': 'HS256'}, []),
        raw({'alg': 'HS256', 'x': 'y' * 8192}, CLAIMS),
    ],
    ids=lambda token: token[:40].encode('ascii', 'replace').decode(),
)  # yapf: disable
def test_a_foreign_token_is_refused(token: str) -> None:
    assert message_for(token)


def test_critical_extensions_that_pyjwt_supports_are_refused() -> None:
    header = {'alg': 'HS256', 'typ': 'access+jwt'}
    assert TOKENS.read(signed(header, CLAIMS))[0] == 1

    assert message_for(
        signed({
            **header, 'crit': ['b64'],
            'b64': True
        }, CLAIMS)
    ) == 'Unsupported critical header'


def test_own_messages_cover_errors_without_a_pyjwt_message() -> None:
    assert message_for(forge(header={'typ': 'verification+jwt'})) == 'Invalid token type'
    assert message_for('\ud800.é.ü') == 'Invalid token'


def test_a_token_is_invalid_for_another_purpose() -> None:
    access, verification = JwtAccessTokens(SECRET_KEY), JwtLinkTokens(LinkPurpose.VERIFICATION, SECRET_KEY)
    reset = SignedTokens('reset', timedelta(hours=1), InvalidAccessToken, [SECRET_KEY])

    with pytest.raises(InvalidAccessToken, match='Signature verification failed'):
        access.read(reset.issue('1', NOW))
    with pytest.raises(Exception, match='Invalid verification token'):
        verification.read(access.issue(Identity(1), NOW))


def test_another_secret_key_verifies_no_token() -> None:
    with pytest.raises(InvalidAccessToken, match='Signature verification failed'):
        JwtAccessTokens(SECRET_KEY + '!').read(JwtAccessTokens(SECRET_KEY).issue(Identity(1), NOW))


@pytest.mark.parametrize(
    'subject', ['', 'x', '-1', '1.0', '1_0', '٣', '2147483648', '00000000001', '9' * 5000, '\0']
)
def test_a_subject_that_is_not_an_id_is_refused(subject: str) -> None:
    with pytest.raises(InvalidAccessToken, match='^Invalid subject$'):
        JwtAccessTokens(SECRET_KEY).read(forge(sub=subject))


@pytest.mark.parametrize(
    'changes', [
        {'sid': True},
        {'sid': '1'},
        {'sid': 0},
        {'sid': 2**31},
        {'epoch': '0'},
        {'epoch': None},
        {'epoch': 1.0},
    ],
    ids=repr
)  # yapf: disable
def test_a_session_of_a_wrong_type_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidAccessToken, match='^Invalid session$'):
        JwtAccessTokens(SECRET_KEY).read(forge(**changes))


@pytest.mark.parametrize('identity', [Identity(7), Identity(7, 8), Identity(7, 8, 9), Identity(7, None, 9)])
def test_an_access_token_carries_its_identity(identity: Identity) -> None:
    tokens = JwtAccessTokens(SECRET_KEY)

    assert tokens.read(tokens.issue(identity, NOW)) == identity


def test_tokens_of_a_release_without_sessions_are_valid() -> None:
    assert JwtAccessTokens(SECRET_KEY).read(forge()) == Identity(1, None, 0)


def test_the_previous_key_verifies_but_does_not_sign() -> None:
    old, rotated, new = JwtAccessTokens(OLD_KEY), JwtAccessTokens(SECRET_KEY,
                                                                  OLD_KEY), JwtAccessTokens(SECRET_KEY)
    identity = Identity(7, 8, 9)

    assert rotated.read(old.issue(identity, NOW)) == identity
    assert new.read(rotated.issue(identity, NOW)) == identity
    with pytest.raises(InvalidAccessToken, match='Signature verification failed'):
        new.read(old.issue(identity, NOW))
    with pytest.raises(InvalidAccessToken, match='Signature verification failed'):
        rotated.read(JwtAccessTokens('neither of the two: 0123456789abcdef').issue(identity, NOW))
    with pytest.raises(InvalidAccessToken, match='Signature has expired'):
        rotated.read(old.issue(identity, NOW - timedelta(hours=1)))
