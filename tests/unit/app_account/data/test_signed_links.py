from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.errors import InvalidLink, InvalidVerificationToken
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import (
    LIFETIMES,
    JwtAccessTokens,
    JwtLinkTokens,
    JwtRefreshTokens,
    SignedTokens,
)
from talelio_backend.shared.business.identity import Identity, InvalidAccessToken
from tests.support.served_api import SECRET_KEY

NEW_KEY = 'the key that comes next: 0123456789abcdef'
NOW = datetime.now(UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LINK = MailLink(7, 'maker@example.com', 3)
ERRORS = {
    purpose: InvalidLink
    for purpose in LIFETIMES
} | {
    LinkPurpose.VERIFICATION: InvalidVerificationToken
}


@pytest.mark.parametrize('purpose', LIFETIMES)
def test_a_link_survives_one_key_rotation(purpose: LinkPurpose) -> None:
    token = JwtLinkTokens(purpose, SECRET_KEY).issue(LINK, NOW)

    assert JwtLinkTokens(purpose, NEW_KEY, SECRET_KEY).read(token) == LINK
    with pytest.raises(ERRORS[purpose]):
        JwtLinkTokens(purpose, NEW_KEY).read(token)


@pytest.mark.parametrize('purpose', LIFETIMES)
def test_a_link_issued_by_an_earlier_release_is_valid(purpose: LinkPurpose) -> None:
    mailed = SignedTokens(purpose, HOUR, InvalidAccessToken, [SECRET_KEY])
    token = mailed.issue('7', NOW, {'email': 'maker@example.com', 'serial': 3})

    assert JwtLinkTokens(purpose, SECRET_KEY).read(token) == LINK


@pytest.mark.parametrize(('purpose', 'lifetime'), [
    (LinkPurpose.VERIFICATION, 24 * HOUR),
    (LinkPurpose.RESET, HOUR),
    (LinkPurpose.EMAIL_CONFIRMATION, 24 * HOUR),
    (LinkPurpose.EMAIL_REVOCATION, 7 * 24 * HOUR),
])  # yapf: disable
def test_a_link_is_valid_for_the_period_its_mail_names(purpose: LinkPurpose, lifetime: timedelta) -> None:
    tokens = JwtLinkTokens(purpose, SECRET_KEY)
    now = datetime.now(UTC)

    assert tokens.read(tokens.issue(LINK, now - lifetime + MINUTE)) == LINK
    with pytest.raises(ERRORS[purpose]):
        tokens.read(tokens.issue(LINK, now - lifetime))


@pytest.mark.parametrize('purpose', LIFETIMES)
def test_a_link_is_valid_for_its_purpose_only(purpose: LinkPurpose) -> None:
    reader = JwtLinkTokens(purpose, SECRET_KEY)

    for other in LIFETIMES.keys() - {purpose}:
        with pytest.raises(ERRORS[purpose]):
            reader.read(JwtLinkTokens(other, SECRET_KEY).issue(LINK, NOW))


@pytest.mark.parametrize(
    'claims', [{}, {
        'email': 'a@b.c'
    }, {
        'serial': 3
    }, {
        'email': 7,
        'serial': 3
    }], ids=repr
)
def test_a_link_without_its_claims_is_refused(claims: dict[str, object]) -> None:
    tokens = SignedTokens('reset', HOUR, InvalidAccessToken, [SECRET_KEY])

    with pytest.raises(InvalidLink):
        JwtLinkTokens(LinkPurpose.RESET, SECRET_KEY).read(tokens.issue('7', NOW, claims))


def test_successors_are_the_same_in_every_release() -> None:
    # During a deployment, two releases exchange tokens of the same session.
    assert JwtRefreshTokens(SECRET_KEY).successors('secret') == [
        'bWFAiuEP5IFXtpWPEVNvJpM8RS_2BT6SuTdvT2SlVnE'
    ]


@pytest.mark.parametrize('session_id', [None, 1, 2**31 - 1])
@pytest.mark.parametrize('account_id', [1, 2**31 - 1])
def test_ids_at_the_bounds_are_valid(account_id: int, session_id: int | None) -> None:
    tokens = JwtAccessTokens(SECRET_KEY)
    identity = Identity(account_id, session_id, 2)

    assert tokens.read(tokens.issue(identity, NOW)) == identity
