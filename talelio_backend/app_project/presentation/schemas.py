from talelio_backend.shared.presentation.schemas import Answer, Body, Text, UtcTime


class PublishBody(Body):
    title: Text
    body: Text


class ProjectAnswer(Answer):
    id: int
    user_id: int
    created_at: UtcTime
    updated_at: UtcTime | None
    title: str
    body: str
    html: str
