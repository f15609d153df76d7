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

    def __init__(self) -> None:
        super().__init__('Email not whitelisted')


class EmailTaken(Invalid):

    def __init__(self, email: str) -> None:
        super().__init__(f"Account with the email '{email}' already exists")


class WeakPassword(InvalidValue):
    """The message says which rule is broken, and does not repeat the password."""

    def __init__(self, reason: str) -> None:
        super().__init__('password', reason)


class InvalidCredentials(Unauthenticated):
    """The same for an unknown address and a wrong password, so that nobody can ask who has an account."""

    def __init__(self) -> None:
        super().__init__('Invalid username or password')


class AccountNotVerified(Forbidden):

    def __init__(self) -> None:
        super().__init__('Account not verified')


class AccountDisabled(Forbidden):

    def __init__(self) -> None:
        super().__init__('Account disabled')


class AccountAlreadyVerified(Invalid):

    def __init__(self) -> None:
        super().__init__('Account already verified')


class InvalidVerificationToken(Invalid):

    def __init__(self) -> None:
        super().__init__('Invalid verification token')


class NoRegisteredAccount(Invalid):

    def __init__(self, email: str) -> None:
        super().__init__(f"No registered account with the email '{email}'")


class WrongPassword(Invalid):
    """Of somebody who is logged in already; so it is not a 401, which would ask them to log in."""

    def __init__(self) -> None:
        super().__init__('Wrong password')


class InvalidLink(Invalid):
    """Of a mail: expired, used, replaced, made up, or about what is no longer so."""

    def __init__(self) -> None:
        super().__init__('The link is not good, or not any more')


class ChangedMeanwhile(Unavailable):

    def __init__(self) -> None:
        super().__init__('The account was being changed at the same time, please try again')


class InvalidRefreshToken(Unauthenticated):

    def __init__(self, message: str = 'Invalid refresh token') -> None:
        super().__init__(message)


class SessionOver(Unauthenticated):
    """The refresh token was good once."""

    def __init__(self) -> None:
        super().__init__('The session has ended, please log in again')


class SessionEnded(InvalidAccessToken):
    """The access token would be good still, had its session not been ended."""

    def __init__(self) -> None:
        super().__init__('The session of this token has ended')


class SessionNotFound(NotFound):

    def __init__(self, session_id: int) -> None:
        super().__init__(f'There is no session {session_id}')
