from datetime import UTC, datetime

import pytest

from talelio_backend.app_account.business.link_ports import MailLink
from talelio_backend.app_account.data.link_tokens import LIFETIMES, JwtLinkTokens
from talelio_backend.app_account.data.refresh_tokens import JwtRefreshTokens
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.data.jwt import JwtAccessTokens
from tests.support.served_api import SECRET_KEY

NEW_KEY = 'the key that comes next: 0123456789abcdef'
NOW = datetime.now(UTC)


@pytest.mark.parametrize('purpose', LIFETIMES)
def test_a_link_outlives_a_change_of_the_key(purpose: str) -> None:
    link = MailLink(7, 'maker@example.com', 3)
    token = JwtLinkTokens(purpose, SECRET_KEY).issue(link, NOW)

    assert JwtLinkTokens(purpose, NEW_KEY, SECRET_KEY).read(token) == link


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
