from collections.abc import Callable
from typing import Self

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.presentation.schemas import Answer, Body, Text, UtcTime


class ChangeUserBody(Body):
    """What is absent stays as it is."""

    # None is what an absent key gives; sent, it is refused.
    location: Text = None  # type: ignore[assignment]


class UserAnswer(Answer):
    id: int
    account_id: int
    created_at: UtcTime
    updated_at: UtcTime | None
    username: str
    location: str
    avatar_url: str

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
