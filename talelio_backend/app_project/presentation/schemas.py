from dataclasses import fields
from typing import Annotated

from pydantic import Field, WithJsonSchema

from talelio_backend.app_project.business.domain.project import ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.domain.rendered import WarningReason
from talelio_backend.app_project.presentation.other_names import OTHER_NAMES
from talelio_backend.shared.presentation.schemas import (
    EMPTY_IS_NULL,
    Answer,
    ContentBody,
    Id,
    Text,
    TimeInput,
    UtcTime,
)

_PATCH_FIELDS = {each.name for each in fields(ProjectPatch)}

Title = Annotated[Text, Field(examples=['A chair'])]
Markdown = Annotated[Text, Field(description='Markdown.', examples=['## Wood\n\nAsh.'])]
Html = Annotated[str,
                 Field(
                     description='The rendered body, safe to put into a page.',
                     examples=['<h2 id="user-content-wood">Wood</h2>\n<p>Ash.</p>'],
                 )]
Slug = Annotated[Text, Field(description="Unique among the user's projects.", examples=['a-chair'])]
Summary = Annotated[Text, Field(description='The default is the first paragraph.', examples=['Ash.'])]
Tag = Annotated[Text, Field(examples=['wood'])]
CoverImage = Annotated[Text, Field(examples=['https://images.example.com/chair.jpg'])]
Position = Annotated[int, Field(examples=[0])]
_STATUSES = WithJsonSchema({'type': 'string', 'enum': [each.value for each in ProjectStatus]})
Status = Annotated[ProjectStatus, _STATUSES]


class TocAnswer(Answer):
    """A heading and its subheadings."""

    # The id of the heading in `html`.
    id: Annotated[str, Field(examples=['user-content-wood'])]
    text: Annotated[str, Field(examples=['Wood'])]
    children: Annotated[list['TocAnswer'], Field(examples=[[]])]


class WarningAnswer(Answer):
    """A part of the body that `html` lacks."""

    reason: Annotated[
        WarningReason,
        Field(
            description='An element whose content is kept, or dropped; an attribute; the URL of a link or '
            "image; too deep nesting; a space in a footnote's name; front matter, which sets no fields.",
            examples=['attribute'],
        )]
    line: Annotated[int,
                    Field(description='The line of the body, counted from 1; 0 if unknown.', examples=[3])]
    text: Annotated[str,
                    Field(description='A quotation of the body, shortened.', examples=['onclick="buy()"'])]


class ProjectAnswer(Answer):

    id: Id
    user_id: Id
    created_at: UtcTime
    updated_at: UtcTime | None
    title: Title
    body: Markdown
    html: Html
    slug: Slug
    summary: Summary
    status: Status
    published_at: UtcTime | None
    tags: list[Tag]
    cover_image: CoverImage | None
    position: Position
    toc: list[TocAnswer]
    reading_time_minutes: Annotated[int, Field(examples=[1])]
    url: Annotated[str,
                   Field(
                       description='The permanent URL of the project in this API.',
                       examples=['https://api.example.com/v1/projects/7'],
                   )]


class WrittenProjectAnswer(ProjectAnswer):

    warnings: Annotated[list[WarningAnswer],
                        Field(description='The parts of the body that `html` lacks, if any.')] = []


# Of a search, and of a revision.
_ELSEWHERE = {'snippet', 'number', 'size'}
_UNREAD = {*WrittenProjectAnswer.model_fields, *_ELSEWHERE} - _PATCH_FIELDS


class ChangeBody(ContentBody):
    """Absent fields stay as they are. Names that only responses carry may be sent, and are ignored."""

    unread = _UNREAD
    other_names = OTHER_NAMES

    # A default of None whose type has no None marks an absent key. An explicit null is refused.
    title: Title = None  # type: ignore[assignment]
    body: Markdown = None  # type: ignore[assignment]
    slug: Slug | None = None
    summary: Annotated[Summary | None, EMPTY_IS_NULL] = None
    # Strict mode would not accept a string for an enum.
    status: Annotated[Status, Field(strict=False)] = None  # type: ignore[assignment]
    published_at: TimeInput | None = None
    tags: list[Tag] = None  # type: ignore[assignment]
    cover_image: Annotated[CoverImage | None, EMPTY_IS_NULL] = None
    position: Position = None  # type: ignore[assignment]

    @property
    def patch(self) -> ProjectPatch:
        return ProjectPatch(**{name: getattr(self, name) for name in self.model_fields_set & _PATCH_FIELDS})


class PublishBody(ChangeBody):
    """Names that only responses carry may be sent, and are ignored."""

    title: Title
    body: Markdown


class RestoreBody(ContentBody):
    """No fields: the revision has them."""
