from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

from talelio_backend.shared.business.errors import Forbidden

ContentT = TypeVar('ContentT')


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


class Tokens(Protocol[ContentT]):
    """Signed tokens of one purpose."""

    def issue(self, content: ContentT, now: datetime, /) -> str:
        ...

    def read(self, token: str) -> ContentT:
        """Raises the error of an invalid token of this purpose."""


# They raise InvalidAccessToken, or another Forbidden if the token was revoked.
AccessTokens: TypeAlias = Tokens[Identity]
