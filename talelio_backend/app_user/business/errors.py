from talelio_backend.shared.business.errors import Invalid, InvalidValue
from talelio_backend.shared.business.identity import AccessTokenRefused


class InvalidUsername(InvalidValue):

    def __init__(self, reason: str) -> None:
        super().__init__('username', reason)


class UsernameTaken(Invalid):

    def __init__(self, username: str) -> None:
        super().__init__(f"Account with the username '{username}' already exists")


class UserNotFound(Invalid):
    """Invalid and not NotFound: the contract answers 400."""

    def __init__(self, username: str) -> None:
        super().__init__(f"User '{username}' does not exist")


class AccountGone(AccessTokenRefused):
    """The token is valid, but its account no longer exists."""

    message = 'The account of this token does not exist'
