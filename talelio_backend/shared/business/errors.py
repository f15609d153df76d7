"""The kinds of failure that a use case can end in.

A feature's errors are subclasses of one of these. Which HTTP status a kind becomes is known to
`shared.presentation.errors.handlers` alone.
"""
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

_BEFORE_A_CAPITAL = re.compile(r'(?<!^)(?=[A-Z])')


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with what was sent. `path` leads to it: keys, and positions in lists."""

    path: tuple[str | int, ...]
    reason: str


class BusinessError(Exception):
    """A refusal with a message that is safe and useful to show to the client.

    `code` is what programs tell it by, so it must not change: renaming the class means to keep the old
    code by hand.
    """

    code: ClassVar[str] = 'error'
    # All that is wrong, where parts of what was sent can be named.
    faults: Sequence[Fault] = ()
    # Whole seconds after which asking again may help.
    retry_after: int | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if 'code' not in cls.__dict__:
            cls.code = _BEFORE_A_CAPITAL.sub('_', cls.__name__).lower()

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(BusinessError):
    """What was sent breaks a rule; sending it again cannot help."""


class InvalidValue(Invalid):
    """One value breaks a rule, and `reason` says which: 'must not be blank'."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"'{name}' {reason}")
        self.faults = (Fault((name, ), reason), )


class NotFound(BusinessError):
    """The thing asked for does not exist, or not for this caller."""


class Gone(BusinessError):
    """The thing was there, and will not be again."""


class Conflict(BusinessError):
    """The thing exists in a state that does not admit the change."""


class Unauthenticated(BusinessError):
    """The caller did not prove who they are."""


class Forbidden(BusinessError):
    """The caller may not do this."""


class Unprocessable(BusinessError):
    """What was sent is sound in itself, and does not fit what was sent before."""


class PreconditionFailed(BusinessError):
    """The thing is no longer as the caller has seen it, and they wished no change then."""

    def __init__(self, message: str = 'This has been changed since you read it: read it again') -> None:
        super().__init__(message)


class TooManyRequests(BusinessError):
    """The caller did something too often, and nothing was done. `retry_after` is in whole seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(BusinessError):
    """A part that the use case needs does not answer now, and nothing was changed.

    Only when the database is lost during the commit itself, nobody can know; asking again then shows.
    """

    retry_after: int

    def __init__(self, message: str, *, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after
