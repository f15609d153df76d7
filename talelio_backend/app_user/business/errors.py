from talelio_backend.shared.business.errors import Invalid, InvalidValue
from talelio_backend.shared.business.identity import AccessTokenRefused


class InvalidUsername(InvalidValue):

    def __init__(self, reason: str) -> None:
        super().__init__('username', reason)


class UsernameTaken(Invalid):
    template = "Account with the username '{}' already exists"


class UserNotFound(Invalid):
    """Invalid and not NotFound: the contract answers 400."""

    template = "User '{}' does not exist"


class AccountGone(AccessTokenRefused):
    """The token is valid, but its account no longer exists."""

    message = 'The account of this token does not exist'
