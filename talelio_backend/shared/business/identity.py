from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from talelio_backend.shared.business.errors import Forbidden


@dataclass(frozen=True)
class Identity:
    """The caller of a request, as proven by an access token."""

    account_id: int
    # None in tokens issued before sessions existed.
    session_id: int | None = None
    # The account's epoch at issue. Raising it there revokes all of the account's tokens.
    epoch: int = 0
    # Not part of the token; None until it is looked up.
    user_id: int | None = field(default=None, compare=False)


class MissingAccessToken(Forbidden):
    """The request has no access token, but requires one."""


class AccessTokenRefused(Forbidden):
    """The request has an access token that grants no access."""


class InvalidAccessToken(AccessTokenRefused):
    """The token cannot be verified. The message gives the reason without quoting the token."""


class AccessTokens(Protocol):

    def issue(self, identity: Identity, now: datetime) -> str:
        ...

    def read(self, token: str) -> Identity:
        """Raises InvalidAccessToken, or another Forbidden if the token was revoked."""
