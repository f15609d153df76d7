from collections.abc import Callable
from typing import Annotated, Self

from pydantic import Field

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.presentation.schemas import Answer, ContentBody, Id, Text, UtcTime

Username = Annotated[Text, Field(examples=['maker'])]
Location = Annotated[Text, Field(examples=['Lisboa'])]


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


class ChangeUserBody(ContentBody):
    """Absent fields stay unchanged. Names that only responses carry may be sent, and are ignored."""

    unread = {*UserAnswer.model_fields} - {'location'}
    other_names = {'city': 'location', 'place': 'location'}

    # None stands for an absent key. A null in the request is refused.
    location: Location = None  # type: ignore[assignment]
