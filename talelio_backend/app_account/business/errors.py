from talelio_backend.shared.business.errors import Forbidden, Invalid, InvalidValue, Unauthenticated


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


class AccountAlreadyVerified(Invalid):

    def __init__(self) -> None:
        super().__init__('Account already verified')


class InvalidVerificationToken(Invalid):

    def __init__(self) -> None:
        super().__init__('Invalid verification token')


class NoRegisteredAccount(Invalid):

    def __init__(self, email: str) -> None:
        super().__init__(f"No registered account with the email '{email}'")
