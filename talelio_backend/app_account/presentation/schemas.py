from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EMAIL_LENGTH
from talelio_backend.app_account.business.domain.password_policy import MAXIMUM_LENGTH
from talelio_backend.app_account.business.domain.session import Session
from talelio_backend.app_user.business.user import User
from talelio_backend.app_user.presentation.schemas import UserAnswer, Username
from talelio_backend.shared.presentation.schemas import STORABLE, WITHOUT_NUL, Answer, Body, Id, UtcTime

# The length is limited before any other check, since Unicode normalisation takes quadratic time.
Email = Annotated[
    str, StringConstraints(max_length=EMAIL_LENGTH), STORABLE, WITHOUT_NUL,
    Field(examples=['maker@example.com'])
]  # yapf: disable
Password = Annotated[
    str, StringConstraints(max_length=MAXIMUM_LENGTH), STORABLE, WITHOUT_NUL,
    Field(examples=['correct horse battery'])
]  # yapf: disable
_Token = Annotated[str, Field(examples=['eyJhbGciOi….eyJzdWIiOi….Rk9H…'])]
VerificationToken = Annotated[_Token, Field(description='The token from the mail.')]
# The limit is longer than any token that the server issues.
LinkToken = Annotated[VerificationToken, StringConstraints(max_length=4096)]
RefreshToken = Annotated[_Token, StringConstraints(max_length=4096)]


class RegisterBody(Body):
    email: Email
    password: Password
    username: Username


class LoginBody(Body):
    email: Email
    password: Password
    # Clients without cookies request the refresh token in the response body.
    refresh: Literal['cookie', 'body'] = 'cookie'


class RefreshTokenBody(Body):
    # None stands for an absent key, for which the cookie is used. A null in the request is refused.
    refresh_token: RefreshToken = None  # type: ignore[assignment]


class PasswordBody(Body):
    password: Password


class ChangePasswordBody(Body):
    current_password: Password
    new_password: Password


class ChangeEmailBody(Body):
    email: Email
    password: Password


class LinkBody(Body):
    token: LinkToken


class VerifyBody(LinkBody):
    # As in RefreshTokenBody.
    password: Password = None  # type: ignore[assignment]


class ResetPasswordBody(LinkBody):
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
    access_token: Annotated[_Token, Field(description='Valid for 30 minutes.')]


class TokensAnswer(TokenAnswer):
    refresh_token: Annotated[_Token, Field(description='Can be used once.')]


class SessionAnswer(Answer):
    id: Id
    created_at: UtcTime
    last_used_at: UtcTime
    device: Annotated[str, Field(description='As reported by the client.', examples=['Firefox on Linux'])]
    address: Annotated[str, Field(examples=['192.0.2.1'])]
    current: Annotated[bool, Field(description='Whether this is the session of the request.')]

    @classmethod
    def of(cls, session: Session, current_id: int | None) -> Self:
        return cls(
            id=session.id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            device=session.device,
            address=session.address,
            current=session.id == current_id,
        )


class PasswordResetAnswer(Answer):
    email: Annotated[str, Field(examples=['maker@example.com'])]
    username: Annotated[str, Field(examples=['maker'])]
    message: Annotated[str, Field(examples=['Nothing was changed yet. To choose a new password, …'])]


class EmailChangeAnswer(Answer):
    old_email: Annotated[str, Field(examples=['maker@example.com'])]
    new_email: Annotated[str, Field(examples=['new@example.com'])]
    confirmed: bool
    message: Annotated[str, Field(examples=['Nothing was changed yet. To confirm it, …'])]


class MessageAnswer(Answer):
    message: Annotated[str, Field(examples=['If an account with this email waits for its verification, …'])]
