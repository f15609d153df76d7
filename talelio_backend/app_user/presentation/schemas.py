from collections.abc import Callable
from typing import Annotated, Self

from pydantic import Field

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.presentation.schemas import Answer, Body, Id, Text, UtcTime

Username = Annotated[Text, Field(examples=['maker'])]
Location = Annotated[Text, Field(examples=['Lisboa'])]


class ChangeUserBody(Body):
    """Absent fields stay unchanged."""

    # None stands for an absent key. A null in the request is refused.
    location: Location = None  # type: ignore[assignment]


class UserAnswer(Answer):
    id: Id
    account_id: Id
    created_at: UtcTime
    updated_at: UtcTime | None
    username: Username
    location: Location
    avatar_url: Annotated[str, Field(examples=['default.jpg'])]

    @classmethod
    def of(cls, user: User, avatar_url: Callable[[User], str]) -> Self:
        return cls(
            id=user.id,
            account_id=user.account_id,
            created_at=user.created_at,
            updated_at=user.updated_at,
            username=user.username,
            location=user.location,
            avatar_url=avatar_url(user),
        )
