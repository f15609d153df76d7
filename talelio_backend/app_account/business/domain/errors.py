from talelio_backend.shared.business.errors import (
    Forbidden,
    Invalid,
    InvalidValue,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from talelio_backend.shared.business.identity import InvalidAccessToken


class EmailNotWhitelisted(Invalid):
    message = 'Email not whitelisted'


class EmailTaken(Invalid):
    template = "Account with the email '{}' already exists"


class WeakPassword(InvalidValue):
    """The message names the violated rule without repeating the password."""

    def __init__(self, reason: str) -> None:
        super().__init__('password', reason)


class InvalidCredentials(Unauthenticated):
    """Covers unknown addresses and wrong passwords alike, so that it does not reveal who has an account."""

    message = 'Invalid username or password'


class AccountNotVerified(Forbidden):
    message = 'Account not verified'


class AccountDisabled(Forbidden):
    message = 'Account disabled'


class AccountAlreadyVerified(Invalid):
    message = 'Account already verified'


class InvalidVerificationToken(Invalid):
    message = 'Invalid verification token'


class NoRegisteredAccount(Invalid):
    template = "No registered account with the email '{}'"


class WrongPassword(Invalid):
    """Not Unauthenticated, since a 401 would ask a client that is logged in to log in again."""

    message = 'Wrong password'


class InvalidLink(Invalid):
    """A mailed link is expired, used, superseded, forged or outdated."""

    message = 'The link is not good, or not any more'


class ChangedMeanwhile(Unavailable):
    message = 'The account was being changed at the same time, please try again'


class InvalidRefreshToken(Unauthenticated):
    message = 'Invalid refresh token'


class SessionOver(Unauthenticated):
    """The refresh token is authentic, but its session has ended."""

    message = 'The session has ended, please log in again'


class SessionEnded(InvalidAccessToken):
    """The access token is authentic and unexpired, but its session has ended."""

    message = 'The session of this token has ended'


class SessionNotFound(NotFound):
    template = 'There is no session {}'
