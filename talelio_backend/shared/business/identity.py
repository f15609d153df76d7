from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from talelio_backend.shared.business.errors import Forbidden


@dataclass(frozen=True)
class Identity:
    """Who makes a request, as proven by an access token."""

    account_id: int
    # The session that the token was given in; None in tokens of a release that had no sessions yet.
    session_id: int | None = None
    # The account's at the time; whatever ends all of an account's tokens at once raises it there.
    epoch: int = 0
    # The account's, which it has for good. No token says it; None where it has not been looked up.
    user_id: int | None = field(default=None, compare=False)


class MissingAccessToken(Forbidden):
    """The request proves nobody's identity, and what it asks for wants that."""


class AccessTokenRefused(Forbidden):
    """There is a token, and it opens nothing."""


class InvalidAccessToken(AccessTokenRefused):
    """The token does not verify; the message says why, without the token."""


class AccessTokens(Protocol):

    def issue(self, identity: Identity, now: datetime) -> str:
        ...

    def read(self, token: str) -> Identity:
        """Raises InvalidAccessToken, or another Forbidden when the token was good once."""
