"""The kinds of failure that a use case can end in.

A feature's errors are subclasses of one of these. Which HTTP status a kind becomes is known to
`shared.presentation.errors` alone.
"""


class BusinessError(Exception):
    """A refusal with a message that is safe and useful to show to the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(BusinessError):
    """What was sent breaks a rule; sending it again cannot help."""


class NotFound(BusinessError):
    """The thing asked for does not exist, or not for this caller."""


class Conflict(BusinessError):
    """The thing exists in a state that does not admit the change."""


class Unauthenticated(BusinessError):
    """The caller did not prove who they are."""


class Forbidden(BusinessError):
    """The caller may not do this."""


class Unavailable(BusinessError):
    """A part that the use case needs does not answer now, and nothing was changed.

    Only when the database is lost during the commit itself, nobody can know; asking again then shows.
    `retry_after` is in whole seconds.
    """

    def __init__(self, message: str, *, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after
