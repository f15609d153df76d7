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
