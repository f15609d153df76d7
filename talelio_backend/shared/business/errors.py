"""The kinds of failure of a use case. Each feature's errors are subclasses of these.

`shared.presentation.errors.handlers` maps each kind to an HTTP status.
"""
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

_BEFORE_A_CAPITAL = re.compile(r'(?<!^)(?=[A-Z])')


@dataclass(frozen=True)
class Fault:
    """One invalid part of a request. `path` consists of keys and list indexes."""

    path: tuple[str | int, ...]
    reason: str


class BusinessError(Exception):
    """An error whose message is safe to show to the client.

    Clients rely on `code`, so it must not change: set it explicitly when renaming a class.
    """

    code: ClassVar[str] = 'error'
    # The argument's place in the message, and the message without an argument.
    template: ClassVar[str] = '{}'
    message: str = ''
    faults: Sequence[Fault] = ()
    # Seconds after which a retry may succeed.
    retry_after: int | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if 'code' not in cls.__dict__:
            cls.code = _BEFORE_A_CAPITAL.sub('_', cls.__name__).lower()

    def __init__(self, about: object = None, *, retry_after: int | None = None) -> None:
        if about is not None:
            self.message = self.template.format(about)
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(self.message)


class Invalid(BusinessError):
    """The request breaks a rule."""


class InvalidValue(Invalid):
    """One value breaks a rule. `reason` follows the name in the message, such as 'must not be blank'."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"'{name}' {reason}")
        self.faults = (Fault((name, ), reason), )


class NotFound(BusinessError):
    """The resource does not exist, or the caller may not see it."""


class Gone(BusinessError):
    """The resource was removed for good."""


class Conflict(BusinessError):
    """The state of the resource does not allow the change."""


class Unauthenticated(BusinessError):
    """The caller is not authenticated."""


class Forbidden(BusinessError):
    """The caller lacks permission."""


class Unprocessable(BusinessError):
    """The request is valid by itself, but contradicts an earlier one."""


class PreconditionFailed(BusinessError):
    """The resource has changed since the caller read it."""

    message = 'This has been changed since you read it: read it again'


class TooManyRequests(BusinessError):
    """The caller exceeded a limit. Nothing was done."""


class Unavailable(BusinessError):
    """A dependency does not respond. Nothing was changed.

    The exception: if the connection breaks during the commit itself, the outcome is unknown.
    """

    retry_after = 2
