from talelio_backend.shared.presentation.schemas import Answer, UtcTime


class UserAnswer(Answer):
    id: int
    account_id: int
    created_at: UtcTime
    updated_at: UtcTime | None
    username: str
    location: str
    avatar_url: str
