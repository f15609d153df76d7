from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from pydantic import Field

from talelio_backend.app_feed.business.errors import CursorGone, InvalidCursor
from talelio_backend.app_feed.business.following import follow
from talelio_backend.app_feed.business.ports import Change, ChangeUnitOfWork
from talelio_backend.app_project.presentation.project_json import project_json
from talelio_backend.app_project.presentation.schemas import ProjectAnswer
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.caching.conditional_requests import Representation
from talelio_backend.shared.presentation.json_responses import model_response, to_json
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.query_parameters import Query, read_query, whole_number
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


_DESCRIPTION = """
Begin without `since` and keep what comes, by its `id`; then ask again with the `next` of the last answer, at once while
`has_more` is true, and whenever you want to know what is new. Of each project only its newest state is told, and none is
ever left out. After a 410 begin anew, and drop what does not come again.
"""


@dataclass(frozen=True, kw_only=True)
class ChangeDependencies:
    unit_of_work: Callable[[], ChangeUnitOfWork]
    api_base_url: str


def change_routes(dependencies: ChangeDependencies) -> Blueprint:
    routes = Blueprint('changes', __name__, url_prefix='/v1')

    @routes.get('/changes')
    @described(
        'Tell what was published, changed or removed',
        description=_DESCRIPTION.strip(),
        query=ChangeQuery,
        responses={HTTPStatus.OK: ChangesAnswer},
        errors=[
            InvalidCursor(),
            CursorGone(),
            Invalid(f"'limit' must be a whole number from 1 to {MAX_LIMIT}"),
            Invalid("Unknown parameter 'page'; this path takes 'since', 'limit'"),
        ],
        response_headers=['Link'],
    )
    def changes() -> Response:
        query = read_query(ChangeQuery)
        page = follow(dependencies.unit_of_work(), query.since, query.limit, datetime.now(UTC))
        content = {
            'changes': [_content_of(change, dependencies.api_base_url) for change in page.changes],
            'next': str(page.next),
            'has_more': page.has_more,
        }
        response = model_response(Representation(to_json(content), modified_at=None))
        if page.has_more:
            further = urlencode({**request.args, 'since': str(page.next)})
            response.headers['Link'] = f'<{request.path}?{further}>; rel="next"'
        return response

    return routes


def _content_of(change: Change, api_base_url: str) -> dict[str, object]:
    """Return a `PublicChange` or `Removal` as JSON."""
    if change.project is None:
        return {'id': change.project_id, 'removed': True}
    return {'id': change.project_id, 'removed': False, 'project': project_json(change.project, api_base_url)}
