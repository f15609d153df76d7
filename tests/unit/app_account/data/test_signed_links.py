from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.errors import InvalidLink, InvalidVerificationToken
from talelio_backend.app_account.business.ports.accounts import VerificationLink
from talelio_backend.app_account.business.ports.links import MailLink
from talelio_backend.app_account.data.jwt import JwtAccessTokens, SignedTokens
from talelio_backend.app_account.data.link_tokens import LIFETIMES, JwtLinkTokens
from talelio_backend.app_account.data.refresh_tokens import JwtRefreshTokens
from talelio_backend.app_account.data.verification_tokens import JwtVerificationTokens
from talelio_backend.shared.business.identity import Identity
from tests.support.served_api import SECRET_KEY

NEW_KEY = 'the key that comes next: 0123456789abcdef'
NOW = datetime.now(UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize('purpose', LIFETIMES)
def test_a_link_outlives_a_change_of_the_key(purpose: str) -> None:
    link = MailLink(7, 'maker@example.com', 3)
    token = JwtLinkTokens(purpose, SECRET_KEY).issue(link, NOW)

    assert JwtLinkTokens(purpose, NEW_KEY, SECRET_KEY).read(token) == link


def test_a_verification_outlives_a_change_of_the_key() -> None:
    link = VerificationLink(7, 'maker@example.com', 3)
    token = JwtVerificationTokens(SECRET_KEY).issue(link, NOW)

    assert JwtVerificationTokens(NEW_KEY, SECRET_KEY).read(token) == link
    with pytest.raises(InvalidVerificationToken, match='^Invalid verification token$'):
        JwtVerificationTokens(NEW_KEY).read(token)


def test_a_verification_of_an_earlier_release_is_read() -> None:
    mailed = SignedTokens(secret_key=SECRET_KEY, purpose='verification', lifetime=HOUR)
    token = mailed.issue('7', NOW, {'email': 'maker@example.com', 'serial': 3})

    assert JwtVerificationTokens(SECRET_KEY).read(token) == VerificationLink(7, 'maker@example.com', 3)


def test_a_link_is_good_for_as_long_as_its_mail_says() -> None:
    lifetimes = {'reset': HOUR, 'email-confirmation': 24 * HOUR, 'email-revocation': 7 * 24 * HOUR}

    for purpose, lifetime in lifetimes.items():
        tokens, link = JwtLinkTokens(purpose, SECRET_KEY), MailLink(7, 'maker@example.com', 3)
        # The suites have been running for minutes.
        now = datetime.now(UTC)
        assert tokens.read(tokens.issue(link, now - lifetime + MINUTE)) == link
        with pytest.raises(InvalidLink):
            tokens.read(tokens.issue(link, now - lifetime))


def test_a_verification_is_good_for_a_day() -> None:
    tokens, link = JwtVerificationTokens(SECRET_KEY), VerificationLink(7, 'maker@example.com', 3)
    now = datetime.now(UTC)

    assert tokens.read(tokens.issue(link, now - 24 * HOUR + MINUTE)) == link
    with pytest.raises(InvalidVerificationToken):
        tokens.read(tokens.issue(link, now - 24 * HOUR))


def test_a_link_is_good_for_nothing_but_its_purpose() -> None:
    verification = JwtVerificationTokens(SECRET_KEY)
    tokens = {purpose: JwtLinkTokens(purpose, SECRET_KEY) for purpose in LIFETIMES}
    issued = {
        purpose: each.issue(MailLink(7, 'maker@example.com', 3), NOW)
        for purpose, each in tokens.items()
    }
    issued['verification'] = verification.issue(VerificationLink(7, 'maker@example.com', 3), NOW)

    for purpose, reader in tokens.items():
        for other in issued.keys() - {purpose}:
            with pytest.raises(InvalidLink):
                reader.read(issued[other])
    for other in tokens:
        with pytest.raises(InvalidVerificationToken):
            verification.read(issued[other])


def test_the_successor_of_a_secret_is_the_same_in_every_release() -> None:
    # Two releases serve side by side for a while, and both exchange tokens of the same session.
    assert JwtRefreshTokens(SECRET_KEY).successors('secret') == [
        'bWFAiuEP5IFXtpWPEVNvJpM8RS_2BT6SuTdvT2SlVnE'
    ]


@pytest.mark.parametrize('session_id', [None, 1, 2**31 - 1])
@pytest.mark.parametrize('account_id', [1, 2**31 - 1])
def test_ids_at_the_bounds_are_read(account_id: int, session_id: int | None) -> None:
    tokens = JwtAccessTokens(SECRET_KEY)
    identity = Identity(account_id, session_id, 2)

    assert tokens.read(tokens.issue(identity, NOW)) == identity
