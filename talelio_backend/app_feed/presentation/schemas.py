from typing import Annotated, Literal

from pydantic import Field

from talelio_backend.app_project.presentation.schemas import ProjectAnswer
from talelio_backend.shared.presentation.requests.query_parameters import Query, whole_number
from talelio_backend.shared.presentation.schemas import Answer, Id

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100

CursorText = Annotated[str, Field(examples=['MS4zZjhhMGI5Yy40Mi43Mzk5NDQ'])]


class ChangeQuery(Query):
    # None is what an absent parameter gives.
    since: Annotated[CursorText,
                     Field(
                         description="The 'next' of the answer before; absent, it is all from the beginning."
                     )] = None  # type: ignore[assignment]
    limit: whole_number(MAX_LIMIT, 'How many at most.') = DEFAULT_LIMIT  # type: ignore[valid-type]


class PublicChange(Answer):
    """It is public, newly or in another form."""

    id: Id
    removed: Annotated[Literal[False], Field(examples=[False])] = False
    project: ProjectAnswer


class Removal(Answer):
    """It was deleted, or is no longer public."""

    id: Id
    removed: Annotated[Literal[True], Field(examples=[True])] = True


class ChangesAnswer(Answer):
    changes: list[PublicChange | Removal]
    next: Annotated[CursorText, Field(description="To be sent as 'since' the next time.")]
    has_more: Annotated[bool, Field(description='Whether there is more already.', examples=[False])]
