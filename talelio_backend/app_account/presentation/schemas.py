from collections.abc import Callable
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.email_address import EMAIL_LENGTH
from talelio_backend.app_account.business.password_policy import MAXIMUM_LENGTH
from talelio_backend.app_user.business.user import User
from talelio_backend.app_user.presentation.schemas import UserAnswer, Username
from talelio_backend.shared.presentation.schemas import STORABLE, WITHOUT_NUL, Answer, Body, Id, UtcTime

# Bounded here, before anything looks at them: what normalises Unicode takes time by the square of the length.
Email = Annotated[
    str, StringConstraints(max_length=EMAIL_LENGTH), STORABLE, WITHOUT_NUL,
    Field(examples=['maker@example.com'])
]  # yapf: disable
Password = Annotated[
    str, StringConstraints(max_length=MAXIMUM_LENGTH), STORABLE, WITHOUT_NUL,
    Field(examples=['correct horse battery'])
]  # yapf: disable
VerificationToken = Annotated[
    str, Field(description='As in the mail.', examples=['eyJhbGciOi….eyJzdWIiOi….Rk9H…'])]


class RegisterBody(Body):
    email: Email
    password: Password
    username: Username


class LoginBody(Body):
    email: Email
    password: Password


class ClaimBody(Body):
    password: Password
    username: Username | None = None


class ResendBody(Body):
    email: Email


class AccountAnswer(Answer):
    id: Id
    created_at: UtcTime
    updated_at: UtcTime | None
    verified: bool
    email: Annotated[str, Field(examples=['maker@example.com'])]
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
    access_token: Annotated[
        str, Field(description='Good for 30 minutes.', examples=['eyJhbGciOi….eyJzdWIiOi….Rk9H…'])]


class MessageAnswer(Answer):
    message: Annotated[str, Field(examples=['If an account with this email waits for its verification, …'])]
