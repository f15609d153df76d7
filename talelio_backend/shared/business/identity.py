from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talelio_backend.shared.business.errors import Forbidden


@dataclass(frozen=True)
class Identity:
    """Who makes a request, as proven by an access token."""

    account_id: int


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
        """Raises InvalidAccessToken."""
