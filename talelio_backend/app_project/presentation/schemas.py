from dataclasses import fields
from typing import Annotated

from pydantic import Field, WithJsonSchema

from talelio_backend.app_project.business.domain.project import ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.domain.rendered import WarningReason
from talelio_backend.shared.presentation.schemas import Answer, Body, Id, Text, TimeInput, UtcTime

_GIVEN = {each.name for each in fields(ProjectPatch)}

Title = Annotated[Text, Field(examples=['A chair'])]
Markdown = Annotated[Text, Field(description='Markdown.', examples=['## Wood\n\nAsh.'])]
Html = Annotated[str,
                 Field(
                     description='The rendered body, safe to put into a page.',
                     examples=['<h2 id="user-content-wood">Wood</h2>\n<p>Ash.</p>'],
                 )]
Slug = Annotated[Text, Field(description="Names the project among its user's.", examples=['a-chair'])]
Summary = Annotated[Text, Field(description='By default the first paragraph.', examples=['Ash.'])]
Tag = Annotated[Text, Field(examples=['wood'])]
CoverImage = Annotated[Text, Field(examples=['https://images.example.com/chair.jpg'])]
Position = Annotated[int, Field(examples=[0])]
_STATUSES = WithJsonSchema({'type': 'string', 'enum': [each.value for each in ProjectStatus]})
Status = Annotated[ProjectStatus, _STATUSES]


class _ProjectBody(Body):
    # Where None is no possible value, it is what an absent key gives; sent, it is refused.
    slug: Slug | None = None
    summary: Summary | None = None
    # A string in JSON, which strict reading would not take for it.
    status: Annotated[Status, Field(strict=False)] = None  # type: ignore[assignment]
    published_at: TimeInput | None = None
    tags: list[Tag] = None  # type: ignore[assignment]
    cover_image: CoverImage | None = None
    position: Position = None  # type: ignore[assignment]

    @property
    def given(self) -> ProjectPatch:
        return ProjectPatch(**{name: getattr(self, name) for name in self.model_fields_set & _GIVEN})


class PublishBody(_ProjectBody):
    title: Title
    body: Markdown


class ChangeBody(_ProjectBody):
    """What is absent stays as it is."""

    title: Title = None  # type: ignore[assignment]
    body: Markdown = None  # type: ignore[assignment]


class TocAnswer(Answer):
    """A heading, and those below it."""

    # That of the heading in `html`.
    id: Annotated[str, Field(examples=['user-content-wood'])]
    text: Annotated[str, Field(examples=['Wood'])]
    children: Annotated[list['TocAnswer'], Field(examples=[[]])]


class WarningAnswer(Answer):
    """What of a body is not shown."""

    reason: Annotated[
        WarningReason,
        Field(
            description='An element whose content is shown, or is not; an attribute; the address of a '
            "link or picture; what is nested too deep; a footnote's name with a space.",
            examples=['attribute'],
        )]
    line: Annotated[int, Field(description='Of the body, from 1; 0 where it is not known.', examples=[3])]
    text: Annotated[str, Field(description='As it was written, shortened.', examples=['onclick="buy()"'])]


class ProjectAnswer(Answer):
    """What `project_json` writes."""

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
                       description='The address of the project in this API, for good.',
                       examples=['https://api.example.com/v1/projects/7'],
                   )]


class WrittenProjectAnswer(ProjectAnswer):
    """What `written_response` writes."""

    warnings: Annotated[list[WarningAnswer],
                        Field(description='What of the body is not shown, if there is any.')] = []
