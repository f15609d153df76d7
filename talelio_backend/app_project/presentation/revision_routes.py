from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from talelio_backend.app_project.business.domain.errors import (
    NotRenderable,
    NotYourProject,
    ProjectNotFound,
    RevisionNotFound,
    TooExpensiveToRender,
)
from talelio_backend.app_project.business.domain.revision import MAX_REVISIONS
from talelio_backend.app_project.business.use_cases import revisions
from talelio_backend.app_project.presentation.routes import ProjectDependencies
from talelio_backend.app_project.presentation.schemas import Markdown, ProjectAnswer, RestoreBody, Title
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.errors import PreconditionFailed
from talelio_backend.shared.idempotency.presentation.idempotency_key import KEY_ERRORS
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.pagination import page_query, page_response
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.json_body import read_body_if_any
from talelio_backend.shared.presentation.requests.query_parameters import Query, read_query
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery
from talelio_backend.shared.presentation.schemas import Answer, Text, UtcTime

_OWNER_ERRORS = (ProjectNotFound(), NotYourProject(), AccountGone())

Number = Annotated[int, Field(description='Increases with each save of the project.', examples=[3])]

RevisionListQuery = page_query(maximum=MAX_REVISIONS, by='number')


class RevisionEntryAnswer(Answer):
    number: Number
    # The time at which this state was saved.
    created_at: UtcTime
    title: Title
    size: Annotated[int, Field(description='Bytes of the body in UTF-8.', examples=[14])]


class RevisionAnswer(Answer):
    number: Number
    created_at: UtcTime
    title: Title
    body: Markdown
    summary: Annotated[Text | None,
                       Field(
                           description='Null if the first paragraph served as the summary.',
                           examples=['Ash.'],
                       )]


def revision_routes(dependencies: ProjectDependencies) -> Blueprint:
    routes = Blueprint('revisions', __name__, url_prefix='/v1/projects/<id:project_id>/revisions')

    @routes.get('')
    @described(
        'List the revisions of an own project, newest first',
        bearer='required',
        query=RevisionListQuery,
        responses={HTTPStatus.OK: list[RevisionEntryAnswer]},
        errors=[
            *_OWNER_ERRORS,
            InvalidQuery.about('limit', f'must be a whole number from 1 to {MAX_REVISIONS}'),
        ],
        response_headers=['Link'],
    )
    def list_own(project_id: int) -> Response:
        query = read_query(RevisionListQuery)
        owner = authenticate(dependencies.access_tokens)
        page = revisions.list_own(
            dependencies.unit_of_work(),
            owner,
            project_id,
            query.page,
            datetime.now(UTC),
        )
        return page_response([RevisionEntryAnswer.model_validate(entry) for entry in page.items],
                             page.next_before)

    @routes.get('/<id:number>')
    @described(
        'Show a revision of an own project',
        bearer='required',
        responses={HTTPStatus.OK: RevisionAnswer},
        errors=[*_OWNER_ERRORS, RevisionNotFound(3)],
    )
    def show_own(project_id: int, number: int) -> Response:
        read_query(Query)
        owner = authenticate(dependencies.access_tokens)
        revision = revisions.show_own(
            dependencies.unit_of_work(), owner, project_id, number, datetime.now(UTC)
        )
        return model_response(RevisionAnswer.model_validate(revision))

    @routes.post('/<id:number>/restore')
    @described(
        'Restore a revision of a project',
        description='Restores title, body and summary, and keeps the present ones as a revision. '
        "`If-Match` takes the project's ETag.",
        bearer='required',
        body=RestoreBody,
        body_required=False,
        responses={HTTPStatus.OK: ProjectAnswer},
        errors=[
            *_OWNER_ERRORS,
            RevisionNotFound(3),
            PreconditionFailed(),
            TooExpensiveToRender(),
            NotRenderable(),
            *KEY_ERRORS,
        ],
        request_headers=['If-Match', 'Idempotency-Key'],
        response_headers=['Idempotency-Replayed'],
    )
    def restore(project_id: int, number: int) -> Response:
        owner = authenticate(dependencies.access_tokens)
        read_body_if_any(RestoreBody)
        return dependencies.idempotency.respond(
            dependencies.unit_of_work,
            lambda uow: revisions.restore(
                uow,
                dependencies.renderer,
                dependencies.is_own_image,
                owner,
                project_id,
                number,
                now=datetime.now(UTC),
                precondition=dependencies.precondition(),
            ),
            lambda project: model_response(dependencies.represent(project)),
            caller=owner,
            content=lambda: b'',
        )

    return routes
