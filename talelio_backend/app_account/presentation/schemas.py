from talelio_backend.app_user.presentation.schemas import UserAnswer
from talelio_backend.shared.presentation.schemas import Answer, Body, Text, UtcTime


class RegisterBody(Body):
    email: Text
    password: Text
    username: Text


class LoginBody(Body):
    email: Text
    password: Text


class ClaimBody(Body):
    password: Text
    username: Text | None = None


class ResendBody(Body):
    email: Text


class AccountAnswer(Answer):
    id: int
    created_at: UtcTime
    updated_at: UtcTime | None
    verified: bool
    email: str
    user: UserAnswer


class TokenAnswer(Answer):
    access_token: str


class MessageAnswer(Answer):
    message: str
