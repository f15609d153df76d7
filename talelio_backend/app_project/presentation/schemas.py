from typing import Annotated

from pydantic import Field

from talelio_backend.shared.presentation.schemas import Answer, Body, Id, Text, UtcTime

Title = Annotated[Text, Field(examples=['A chair'])]
Markdown = Annotated[Text, Field(description='Markdown.', examples=['## Wood\n\nAsh.'])]
Html = Annotated[str,
                 Field(
                     description='The rendered body, safe to put into a page.',
                     examples=['<h2 id="user-content-wood">Wood</h2>\n<p>Ash.</p>'],
                 )]


class PublishBody(Body):
    title: Title
    body: Markdown


class ProjectAnswer(Answer):
    id: Id
    user_id: Id
    created_at: UtcTime
    updated_at: UtcTime | None
    title: Title
    body: Markdown
    html: Html
