from collections.abc import Callable
from typing import Annotated, Self

from pydantic import StringConstraints

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.email_address import EMAIL_LENGTH
from talelio_backend.app_account.business.password_policy import MAXIMUM_LENGTH
from talelio_backend.app_user.business.user import User
from talelio_backend.app_user.presentation.schemas import UserAnswer
from talelio_backend.shared.presentation.schemas import STORABLE, Answer, Body, Text, UtcTime

# Bounded here, before anything looks at them: what normalises Unicode takes time by the square of the length.
Email = Annotated[str, StringConstraints(max_length=EMAIL_LENGTH), STORABLE]
Password = Annotated[str, StringConstraints(max_length=MAXIMUM_LENGTH), STORABLE]


class RegisterBody(Body):
    email: Email
    password: Password
    username: Text


class LoginBody(Body):
    email: Email
    password: Password


class ClaimBody(Body):
    password: Password
    username: Text | None = None


class ResendBody(Body):
    email: Email


class AccountAnswer(Answer):
    id: int
    created_at: UtcTime
    updated_at: UtcTime | None
    verified: bool
    email: str
    user: UserAnswer

    @classmethod
    def of(cls, account: Account, avatar_url: Callable[[User], str]) -> Self:
        return cls(
            id=account.id,
            created_at=account.created_at,
            updated_at=account.updated_at,
            verified=account.verified,
            email=account.email,
            user=UserAnswer.of(account.user, avatar_url),
        )


class TokenAnswer(Answer):
    access_token: str


class MessageAnswer(Answer):
    message: str
